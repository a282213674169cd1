"""Runs transfers: points leave one account and reach the other, or stay where they were."""
