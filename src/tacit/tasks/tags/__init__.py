"""Tags: what the photograph as a whole shows, one or many."""
