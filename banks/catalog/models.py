"""What Django looks for to give the public tables their content types and permissions."""

from banks.models.institutions import Institution, InstitutionHealth, InstitutionIncident

__all__ = ["Institution", "InstitutionHealth", "InstitutionIncident"]
