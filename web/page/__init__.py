"""The page for people: HTML at `/`, made of what the public routes under /v1 answer."""
