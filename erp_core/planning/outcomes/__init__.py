"""What came of decisions: each scored once, when its horizon has passed, from nothing that happened later."""
