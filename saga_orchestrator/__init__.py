"""The orchestrator: runs the platform's sagas, and shows how each of them stands."""
