"""What home agents and hubs share: ids, messages, tokens, clock, jobs, media and transport."""
