"""What recognising speech is made of."""
