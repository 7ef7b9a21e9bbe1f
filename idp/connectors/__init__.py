"""Where facts about enterprises come from: the register and the tax agency."""
