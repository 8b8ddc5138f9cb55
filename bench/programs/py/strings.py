# Strings built, searched, replaced and taken apart; JSON and regular expressions.
import json
import re

words = [f"{i * 7919 % 1048573:05x}" for i in range(1, 30001)]
text = " ".join(words)
counts = {}
for word in re.findall(r"[0-9a-f]+", text):
    counts[word[-2:]] = counts.get(word[-2:], 0) + 1
most = max(counts.items(), key=lambda item: (item[1], item[0]))
swapped = re.sub(r"([0-9a-f])([0-9a-f])", r"\2\1", text).upper()
total = 0
for character in swapped:
    total = (total * 31 + ord(character)) & 0xFFFFFFFF
built = "".join(chr(97 + i % 26) for i in range(150000))
rows = [{"id": i, "word": word, "tags": [word[:2], "ü€"], "deep": {"half": i / 2}} for i, word in enumerate(words[:6000])]
length = sum(len(json.dumps(json.loads(json.dumps(rows)))) for _ in range(2))
print(len(text), most, total, built.count("xyz"), length)
