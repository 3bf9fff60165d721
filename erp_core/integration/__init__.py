"""Files in and out: imports that can be killed and resumed, canonical export."""
