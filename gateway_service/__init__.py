"""The HTTP front door: accepts orders and shows how they, and their sagas, stand."""
