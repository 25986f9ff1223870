"""Eigenvalues, singular values and QR."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row, samplers, with_keywords

import tapemagic
from tapemagic.errors import NoRuleError

LA = np.linalg
real, compl = samplers(10)


def spread(make, *shape):
    """Return matrices whose singular values are well apart."""
    a = make(*shape)
    u, s, vh = LA.svd(a, full_matrices=False)
    return (u * (s + np.arange(s.shape[-1])[::-1])[..., None, :]) @ vh


def projectors(a):
    """Return what does not depend on signs and phases of eigenvectors."""
    v = LA.eigh(a).eigenvectors
    return [np.einsum("...ik,...jk->...ijk", v, np.conj(v)), abs(v)]


def singular_projectors(a):
    u, s, vh = LA.svd(a, full_matrices=False)
    return [np.einsum("...ik,...kj->...ijk", u, vh), s, abs(u), abs(vh)]


def largest_part(a):
    """Return the nearest matrix of rank 1, for which the other singular values do not matter."""
    u, s, vh = LA.svd(a, full_matrices=False)
    return (u[:, :1] * s[0]) @ vh[:1]


def null_space(a):
    u, s, vh = LA.svd(a)
    k = s.shape[-1]
    return [u[..., k:] @ np.conj(u[..., k:].mT), np.conj(vh[..., k:, :].mT) @ vh[..., k:, :], s]


ROWS = [
    *(row(LA.eigh, real(*n)) for n in [(4, 4), (2, 3, 3), (1, 1), (0, 0)]),
    row(with_keywords(LA.eigh, UPLO="U"), real(4, 4)),
    *(row(LA.svd, spread(real, *n)) for n in [(3, 3), (2, 3, 3)]),
    *(
        row(with_keywords(LA.svd, full_matrices=False), spread(real, *n))
        for n in [(5, 3), (3, 5), (2, 4, 3)]
    ),
    row(with_keywords(LA.svd, hermitian=True), real(3, 3) + np.diag([3.0, 6.0, -9.0])),
    *(
        case
        for make in (real, compl)
        for case in [
            row(LA.eigvalsh, make(4, 4)),
            row(with_keywords(LA.eigvalsh, UPLO="U"), make(2, 3, 3)),
            row(projectors, make(3, 3)),
            row(projectors, make(2, 3, 3)),
            *(row(LA.eig, make(*n)) for n in [(4, 4), (2, 3, 3)]),
            *(row(LA.eigvals, make(*n)) for n in [(4, 4), (2, 3, 3)]),
            row(LA.svdvals, spread(make, 3, 4)),
            row(with_keywords(LA.svd, compute_uv=False), spread(make, 2, 4, 3)),
            *(row(singular_projectors, spread(make, *n)) for n in [(3, 3), (4, 3), (2, 3, 4)]),
            *(row(null_space, spread(make, *n)) for n in [(4, 2), (2, 4)]),
            *(row(LA.qr, make(*n)) for n in [(3, 3), (5, 3), (3, 5), (2, 5, 3), (2, 3, 4)]),
            *(row(with_keywords(LA.qr, mode="r"), make(*n)) for n in [(5, 3), (3, 5)]),
            row(with_keywords(LA.qr, mode="complete"), make(3, 5)),
            row(lambda a: np.abs(LA.qr(a, mode="complete").Q), make(4, 3), name="qr complete"),
            row(largest_part, make(4, 1) * [[2.0, 0.0]], second=False),
        ]
    ),
]


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_factorization(case):
    ask(case)


# ---------------------------------------------------------------------- repeated values

REPEATED = np.diag([1.0, 1.0, 2.0])


def test_sum_of_repeated_eigenvalues():
    gradient = tapemagic.grad(lambda a: np.sum(LA.eigvalsh(a) ** 3))(REPEATED)
    np.testing.assert_allclose(gradient, np.diag([3.0, 3.0, 12.0]))


def test_eigenvector_of_the_value_that_is_not_repeated():
    def target(a):
        v = LA.eigh(a).eigenvectors[:, 2]
        return np.sum(np.outer(v, v) * weights)

    weights = np.arange(9.0).reshape(3, 3)
    symmetric = tapemagic.grad(lambda a: target((a + a.T) / 2))(REPEATED)
    step = 1e-6
    for i, j in np.ndindex(3, 3):
        e = np.zeros((3, 3))
        e[i, j] = e[j, i] = step
        difference = (target(REPEATED + e) - target(REPEATED - e)) / (2 * step)
        np.testing.assert_allclose(np.sum(symmetric * e) / step, difference, atol=1e-6)


def matrix_function(g):
    def target(a):
        w, v = LA.eigh(a)
        return ((v * g(w)) @ v.T)[0, 1]

    return target


@pytest.mark.parametrize(
    "target",
    [
        lambda a: LA.eigvalsh(a)[0],
        lambda a: LA.eigh(a).eigenvectors[0, 0],
        lambda a: LA.svdvals(a)[-1],
        lambda a: LA.svd(a)[0][0, 1],
        lambda a: LA.eigvals(a)[0],
        matrix_function(np.sqrt),
        matrix_function(np.log),
    ],
)
def test_a_choice_among_repeated_values_is_refused(target):
    with pytest.raises(NoRuleError, match="repeated"):
        tapemagic.grad(target)(np.eye(3))


def test_norms_of_orthogonal_matrices_have_gradients():
    q = LA.qr(real(3, 3))[0]
    np.testing.assert_allclose(tapemagic.grad(lambda a: LA.norm(a, "nuc"))(q), q, atol=1e-12)


def test_phase_of_complex_vectors_is_refused():
    with pytest.raises(NoRuleError, match="phase"):
        tapemagic.vjp(lambda a: LA.eigh(a).eigenvectors, compl(3, 3))[1](compl(3, 3))


def test_completed_basis_is_refused():
    with pytest.raises(NoRuleError, match="beyond"):
        tapemagic.vjp(lambda a: LA.qr(a, mode="complete").Q, real(4, 2))[1](real(4, 4))
    with pytest.raises(NoRuleError, match="beyond"):
        tapemagic.vjp(lambda a: LA.svd(a)[0], spread(real, 4, 2))[1](real(4, 4))


def test_results_keep_their_names():
    def target(a):
        result = LA.eigh(a)
        assert type(result).__name__ == "EighResult"
        return np.sum(result.eigenvalues)

    np.testing.assert_allclose(tapemagic.grad(target)(REPEATED), np.eye(3))
