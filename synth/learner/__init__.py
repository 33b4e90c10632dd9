"""From edges to policies: screen, roles, selectors, rules, questions."""
