"""Pure rules over dated data: no I/O, no clock, no model, no settings."""
