"""Say whether tests can run in containers here: exit 0 if a Docker engine answers, else 1."""

import sys

from sagaline.testing.containers import engine
from sagaline.testing.environment import NoEngine

if __name__ == "__main__":
    try:
        engine.require()
    except NoEngine as error:
        sys.exit(str(error))
