"""The WSGI application granian serves: `python -m granian --interface wsgi sandbox_bank.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox_bank.settings"
application = get_wsgi_application()
