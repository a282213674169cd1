"""`python -m payment_service run|migrate|topics|config|openapi`."""

from sagaline.chassis.main import main

from payment_service.service import service

main(service)
