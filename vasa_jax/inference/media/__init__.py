"""Files in and out: sound, video, and what a video says about itself."""
