"""Where networks come from that are not ours, and what is known of each: one module per source."""
