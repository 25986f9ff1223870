"""Statements of ordinary Python around arrays: containers, closures, generators, conversions."""

from __future__ import annotations

import random

from .statements import Arrays, draw_name

_ANYWHERE = (
    "{2} = np.array([q * q for q in {0}.ravel() if q > 0] or [0.1])",
    "{2} = sum((q * i for i, q in enumerate({0})), 0.5 * {1})",
    "{2} = sum(pairs({0}))", "{2} = np.stack(list(pairs({0})))", "{2} = max({0}.ravel()) * {1}",
    "{2} = np.array(sorted({0}.ravel()))", "{2} = total(*{0})", "{2} = counter({0})({1})",
    "box = Holder({0})\nbox.a *= 0.5\n{2} = box.a + {1}", "box = Holder({0})\nbox.a = box.a * {1}\n{2} = box.squared()",
    "box = Holder({0})\nbox.add({1})\n{2} = box.a", "d = [{0}, [{1}, {0}]]\nd[1][0] = d[0] * 0.5\n{2} = d[1][0] + d[1][1]",
    "d = {{'a': {0}, 'n': {{'b': {1}}}}}\nd['n']['b'] = d['a'] * 0.3\n{2} = d['n']['b']",
    "d = {{k: q * i for i, (k, q) in enumerate(zip('ijk', {0}))}}\n{2} = d['i'] + d['j'] * d['k']",
    "d = ({0}, {1})\n{2}, *rest = d\n{2} = {2} * 2", "d = [0.0]\nfor q in {0}.ravel():\n    d.append(d[-1] * 0.5 + q)\n{2} = np.array(d)",
    "{2} = [{0}, {1}][{0}.sum() > 0] * 0.9", "{2} = {0} if np.all({1} > 0) else {1}",
    "for i in range(len({0})):\n    if {0}[i].sum() < 0:\n        continue\n    {0}[i] *= {1}.mean()",
    "def each(q, n=2, *, scale=0.5):\n    return q * scale if n == 0 else each(q + {1}, n - 1, scale=scale)\n{2} = each({0})",
    "{2} = (lambda q, *w: q * sum(w))({0}, 0.5, {1})", "{2} = np.asarray(list(map(lambda q: q * 0.5, {0})))",
    "with np.errstate(all='ignore'):\n    {2} = {0} / ({1} * {1} + 1)", "d = [{0}] * 2\nd[0] += 0.1\n{2} = d[1] * {1}",
    "import functools\n{2} = functools.reduce(lambda q, w: q * 0.5 + w, {0})", "import copy\n{2} = copy.deepcopy({0})\n{2} *= 0.5",
    "import operator\n{2} = operator.mul({0}, {1})", "{2} = {0}\nassert {2} is {0}\n{2} *= 0.9", "del {0}\n{0} = 0.5 * np.ones(3)",
)  # fmt: skip
#: A script cannot carry these: outside a cell `float(t)` and `math` are refused.
_IN_CELLS = (
    "{2} = np.array([math.sin(float(q)) for q in {0}.ravel()])", "{2} = float({0}.sum()) * {1}",
    "{2} = math.exp(-abs({0}.mean())) + {1}", "{2} = {0}.ravel().tolist()[0] * {1}",
    "{2} = {0}.ravel()[0].item() ** 2 + {1}", "{2} = np.full(3, float({0}.ravel()[0]))",
    "{2} = np.array({0}.tolist()) * 0.5", "{2} = math.hypot(float({0}.ravel()[0]), 1.0) * {1}",
    "{2} = math.lgamma(1.5 + abs(float({0}.ravel()[0]))) * {1}",
    "{2} = math.gamma(1.2 + abs(float({0}.ravel()[0])) % 2) + {1}",
    "{2} = {0} * 1.0\n{2}.resize(np.size({0}))",
    "{2} = {0} * 1.0\nw = {2}.ravel()\n{2}.resize(np.size({0}))\nw *= {0}.ravel()[0]",
    "{2} = math.fsum({0}.ravel()) * {1}", "{2} = max(float({0}.ravel()[0]), 0.1) * {1}",
    "a, b = {0}.ravel()[:2]\n{2} = math.atan2(float(a), 2.0 + float(b) ** 2)", "{2} = round(float({0}.sum()), 1) * {1}",
    "{2} = sum({0}.ravel().tolist()) * {1}", "{2} = complex({0}.ravel()[0]) * {1}", "{2} = math.prod({0}.ravel()) * {1}",
    "k = np.float64({0}.sum())\n{2} = k * {1}", "exec('w = {0} * 2')\n{2} = w + {1}", "{2} = eval('np.sin({0})')",
    "e = np.arange(3) * 0.5\n{2} = e\n{2}[0] = {0}.sum()\n{2} = e * 0.5", "e = [np.arange(4) / 3]\n{2} = e[0]\n{2}[1:] *= 0.7\n{2} = e[0] * {0}.mean()",
    "e = np.arange(4).astype(float)\nu = e[::2]\n{2} = e[1:]\n{2} += {0}.sum()\n{2} = u * 0.5", "print({0}, f'{{{0}.sum():.3f}}', '%r' % {1})\n{2} = {0} * {1}",
)  # fmt: skip
#: Of `p`, a container that held the inputs before the cell, and `o`, an object that did.
_NESTED = (
    "p['w'] *= 0.5\n{2} = p['w'] + {0}", "{2} = p['w'] * p['l'][0]", "p['w'] = {0}", "p['l'][0] = p['w'] * {0}",
    "p['l'].append({0})\n{2} = p['l'][-1] * 0.5", "o.a = o.a * {0}\n{2} = o.squared()", "o.a += 0.1\n{2} = o.a * {0}",
    "o.b = {0}", "o.add(p['w'])\n{2} = o.a", "for k in p['l']:\n    k *= 0.7\n{2} = sum(np.sum(k) for k in p['l'])", "{2} = p['w'][1:] * 0.5",
    "p = {{**p, 'w': {0} * 0.5}}\n{2} = p['w']", "p['w'][0] = {0}.sum()\n{2} = o.a * 1.0",
)  # fmt: skip


def _rows(forms: tuple[str, ...]):
    def row(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
        names = list(arrays)
        first, second = rng.choice(names), rng.choice(names)
        return rng.choice(forms).format(first, second, draw_name(rng, arrays))

    return row


ORDINARY = ((_rows(_ANYWHERE), 3),)
IN_CELLS = ((_rows(_IN_CELLS), 2), (_rows(_NESTED), 2))
