"""Inputs, and the shapes of chat/shapes.py as OpenAPI knows them."""
