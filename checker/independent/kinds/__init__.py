"""One checker for each family of facts: a module a family, a function a kind, and the module's own table KINDS."""
