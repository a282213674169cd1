"""`python -m saga_orchestrator run|migrate|topics|config|openapi`."""

from saga_orchestrator.service import service
from sagaline.chassis.main import main

main(service)
