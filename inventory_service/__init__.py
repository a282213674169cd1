"""Stock and prices: what an order reserves, takes off the shelves, or gives back."""
