"""`python -m transfer_orchestrator run|migrate|topics|config|openapi`."""

from sagaline.chassis.main import main
from transfer_orchestrator.service import service

main(service)
