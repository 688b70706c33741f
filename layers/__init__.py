"""Recipes and the builder of Lambda layers and function assets."""
