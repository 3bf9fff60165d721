"""The one door: every change of business state is a command submitted here."""
