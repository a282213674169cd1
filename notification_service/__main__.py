"""`python -m notification_service run|migrate|topics|config|openapi`."""

from sagaline.chassis.main import main

from notification_service.service import service

main(service)
