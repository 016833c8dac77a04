"""A depositor's own commands: the same checks as the vault's, made before anything is sent."""
