"""Commands of the bank: `python -m sandbox_bank.manage migrate` and `… seed`."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox_bank.settings"
    execute_from_command_line(sys.argv)
