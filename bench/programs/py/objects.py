# Lists, dictionaries, classes, closures, generators, exceptions and sorts.
import heapq

seed = 12345


def random(n):
    global seed
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 16) % n


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    @property
    def length2(self):
        return self.x * self.x + self.y * self.y


numbers = sorted(random(32768) * 32768 + random(32768) for _ in range(60000))
people = sorted(((random(90), f"p{random(10000)}") for _ in range(20000)), key=lambda person: (person[0], person[1]))
at, far = Point(0, 0), 0
for _ in range(60000):
    at = at + Point(random(3) - 1, random(3) - 1)
    far = max(far, at.length2)
graph = [[random(20000) for _ in range(3)] for _ in range(20000)]
seen, queue = {0}, [0]
for node in queue:
    for next_node in graph[node]:
        if next_node not in seen:
            seen.add(next_node)
            queue.append(next_node)
heap = []
for number in numbers[::7]:
    heapq.heappush(heap, number ^ 0x55555)
least = [heapq.heappop(heap) for _ in range(len(heap))]


def squares(n):
    for i in range(n):
        yield i * i


odd = sum(square & 1 for square in squares(100000))
caught = 0
for i in range(20000):
    try:
        if i % 3 == 0:
            raise ValueError("x")
    except ValueError:
        caught += 1
print(numbers[0], numbers[30000], people[10000], far, len(seen), least[100], odd, caught)
