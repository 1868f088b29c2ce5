"""What constants of NormalScoreEstimate are worth on the scores that the verb `levers` wrote (plain Python 3).

    python3 thresholds.py FILE.csv [FILE.csv ...]

For every choice on a small grid: false rejects, balanced error beyond the best possible, and misses, means over the sets; then leave-one-set-out: the
choice that the other sets would make, measured on the one left out; and what a threshold would do that knows the good parts to come.
"""
import collections, csv, itertools, math, statistics as st, sys

UNLIKE = {'deeppcb'}                # parts that do not lie alike: looked up anywhere


def rows(files):
    tables = collections.defaultdict(lambda: collections.defaultdict(list))
    for file in files:
        for line in csv.reader(open(file)):
            if line[0] == 'S':
                _, name, shots, draw, variant, kind, _, score = line
                if variant == ('views' if name in UNLIKE else 'mix2'):
                    tables[(name, int(shots), int(draw))][kind].append(math.log(max(float(score), 1e-6)))
    for (name, shots, draw), kinds in tables.items():
        if kinds['loo']:
            twins = kinds['twin']
            yield dict(set=name, shots=shots, good=kinds['good'], bad=kinds['bad'], left=sorted(kinds['loo']),
                       gap=st.mean(twins) - st.mean(kinds['loo']) if twins else 0.3, best=best(kinds['good'], kinds['bad']))


def errors(row, threshold):
    missed = sum(v <= threshold for v in row['bad']) / len(row['bad'])
    rejected = sum(v > threshold for v in row['good']) / len(row['good'])
    return missed, rejected


def best(good, bad):
    return min(sum(errors(dict(good=good, bad=bad), t)) / 2 for t in [-99] + good + bad)


def tail_quantile(tail, freedom, cache={}):
    """Of Student's t, by the density's sum."""
    if (tail, freedom) not in cache:
        scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
        left, x, step = 0.5, 0.0, 1e-3
        while left > tail:
            left -= scale * (1 + ((x + step / 2) ** 2) / freedom) ** (-(freedom + 1) / 2) * step
            x += step
        cache[(tail, freedom)] = x
    return cache[(tail, freedom)]


def threshold(row, shift, share, prior, place, reach, rate):
    logs, shots = row['left'], row['shots']
    usual = share * min(max(row['gap'], 0.1), 0.6)
    middle, far = st.median(logs), reach * max(usual, 0.1)
    near = [min(max(v, middle - far), middle + far) for v in logs]
    mean, freedom = st.mean(near), prior + len(near) - 1
    spread = math.sqrt((prior * usual ** 2 + sum((v - mean) ** 2 for v in near)) / freedom)
    error = spread * math.sqrt(1 / len(near) + place ** 2 * 4 / shots)
    return mean + shift * min(1, 4 / shots) + tail_quantile(rate, freedom) * math.hypot(spread, error)


def known(row, deviations):
    """What nobody has: the test side's own good parts."""
    return st.mean(row['good']) + deviations * st.stdev(row['good'])


def figures(table, choice, place=threshold):
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in table:
        missed, rejected = errors(row, place(row, *choice))
        found[row['shots']][row['set']].append((rejected, (missed + rejected) / 2 - row['best'], missed))
    return {k: {s: [st.mean(v[i] for v in each) for i in range(3)] for s, each in sets.items()} for k, sets in found.items()}


def loss(found, sets):
    """Error beyond the best at every number of photographs; false rejects above a tenth (4) or a fourteenth (16) cost thrice."""
    mean = lambda k, i: st.mean(found[k][s][i] for s in sets)
    return sum(mean(k, 1) + 3 * max(0, mean(k, 0) - (0.115 if k <= 4 else 0.075)) for k in found)


def told(found, sets):
    return '; '.join('%d: %s' % (k, ' / '.join('%.3f' % st.mean(found[k][s][i] for s in sets) for i in range(3))) for k in sorted(found))


table = list(rows(sys.argv[1:]))
sets = sorted({row['set'] for row in table})
grid = list(itertools.product((-0.1, -0.08, -0.06, 0), (0.33, 0.36, 0.4, 0.5), (2, 5, 8), (0.7, 1), (1.5, 2, 2.5, 3), (0.08, 0.1, 0.12, 0.15)))
all_figures = [(choice, figures(table, choice)) for choice in grid]
all_figures.sort(key=lambda entry: loss(entry[1], sets))
print('shift, share of gap, prior freedom, place error, reach, rate: photographs: false rejects / error beyond the best / missed')
for choice, found in all_figures[:5]:
    print(choice, told(found, sets))
chosen = (-0.08, 0.36, 5, 1, 2.5, 0.12)
print('in use', chosen, told(figures(table, chosen), sets))
left_out = collections.defaultdict(dict)
for name in sets:
    choice, found = min(all_figures, key=lambda entry: loss(entry[1], [s for s in sets if s != name]))
    for k in found:
        left_out[k][name] = found[k][name]
print('leave one set out', told(left_out, sets))
for deviations in (0.8, 1, 1.2, 1.4):
    print('mean and deviation of all good parts known, %.1f deviations above' % deviations, told(figures(table, (deviations,), known), sets))
