"""Money: what an order holds on its customer's account, takes, or gives back."""
