"""The API as an OpenAPI 3.1 document. Each operation is described beside its route, with `@route`."""
