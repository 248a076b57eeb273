"""As the rest of the product writes them: day before month, 24 hours, and the zone beside every moment."""

from typing import Final

DATE_FORMAT: Final = "j M Y"
DATETIME_FORMAT: Final = "j M Y, H:i T"
