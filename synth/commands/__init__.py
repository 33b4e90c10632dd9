"""The commands: one public function each, and the one place where stages are joined."""
