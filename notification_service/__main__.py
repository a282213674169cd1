"""`python -m notification_service run|migrate|topics|config|openapi`."""

from notification_service.service import service
from sagaline.chassis.main import main

main(service)
