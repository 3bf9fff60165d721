"""The governed system of record. Knows nothing of machine learning, language models or HTTP."""
