"""Pictures of frames and ramps, and pages about how they were made."""
