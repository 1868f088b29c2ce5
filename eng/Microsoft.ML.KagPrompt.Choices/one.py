"""Where normal scores lie above what a photograph or two score against themselves, from the verb `one` (plain Python 3).

    python3 one.py FILE.csv [FILE.csv ...]

For each clue, and for clues together: how far above it normal scores lie (mean over the sets), by how much that is off on a set left out
(root of the mean square), and false rejects / missed / balanced error of a threshold whose distance from the clue the other sets would choose.
"""
import collections, csv, math, statistics as st, sys

CLUES = {'defects': (1, 0, 0, 0, 0), 'views': (0, 1, 0, 0, 0), 'left and right': (0, 0, 1, 0, 0), 'top and bottom': (0, 0, 0, 1, 0),
         'halves': (0, 0, .5, .5, 0), 'views and halves, 1 : 2': (0, 1 / 3, 1 / 3, 1 / 3, 0), 'and defects': (.2, .4, .2, .2, 0)}
# Two photographs: each against the other, too.
OTHERS = {'each other': (0, 0, 0, 0, 1), 'and views and halves, 2 : 1': (0, 1 / 9, 1 / 9, 1 / 9, 2 / 3),
          'and views and halves, 1 : 1': (0, 1 / 6, 1 / 6, 1 / 6, 1 / 2)}
STEPS = [0.02 * i for i in range(-50, 50)]


def products(file):
    draws = collections.defaultdict(lambda: collections.defaultdict(dict))
    for name, draw, kind, *scores in csv.reader(open(file)):
        draws[name][draw][kind] = [math.log(max(float(score), 1e-6)) for score in scores if score]
    for kinds in (kinds for each in draws.values() for kinds in each.values()):
        own = kinds['itself']
        views, left, right, top, bottom = (st.mean(own[i::5]) for i in range(5))
        others = st.mean(kinds['left']) if kinds['left'] else 0
        kinds['clues'] = [st.median(kinds['defects'] or own), views, (left + right) / 2, (top + bottom) / 2, others]
    return {name: list(each.values()) for name, each in draws.items()}


def place(kinds, weights):
    return sum(weight * clue for weight, clue in zip(weights, kinds['clues']))


def errors(draws, weights, above):
    """False rejects and misses of a set, means over its draws."""
    each = [(place(kinds, weights) + above, kinds) for kinds in draws]
    return (st.mean(sum(v > t for v in kinds['good']) / len(kinds['good']) for t, kinds in each),
            st.mean(sum(v <= t for v in kinds['bad']) / len(kinds['bad']) for t, kinds in each))


for file in sys.argv[1:]:
    sets = products(file)
    print(file)
    pairs = any(kinds['left'] for draws in sets.values() for kinds in draws)
    for clue, weights in {**CLUES, **(OTHERS if pairs else {})}.items():
        above = {name: [st.mean(kinds['good']) - place(kinds, weights) for kinds in draws] for name, draws in sets.items()}
        usual = {name: st.mean(values) for name, values in above.items()}
        others = {name: st.mean(v for other, v in usual.items() if other != name) for name in sets}
        off = math.sqrt(st.mean(st.mean((v - others[name]) ** 2 for v in values) for name, values in above.items()))
        table = {step: {name: errors(draws, weights, step) for name, draws in sets.items()} for step in STEPS}
        held = []
        for name in sets:
            best = min(STEPS, key=lambda step: sum(sum(found) for other, found in table[step].items() if other != name))
            held.append(table[best][name])
        rejected, missed = (st.mean(found[i] for found in held) for i in (0, 1))
        print(f'  {clue:24} above {st.mean(usual.values()):6.3f}  off {off:.3f}  {rejected:.3f} / {missed:.3f} / {(rejected + missed) / 2:.3f}')
