(******************************************************************************)
(* C22 between the sizes at which prices are computed. A certificate holds    *)
(* for every size: its bound is a line. And nets of one cell can be mixed, so *)
(* that on a cell the price is convex in the size. In a cell the units keep   *)
(* their signs on the inputs and at x, and the directions of their output     *)
(* weights.                                                                   *)
(*                                                                            *)
(* reached y r mu s base t == the bound of C22_certificate                    *)
(*                  seen u == u is x or a training input                      *)
(*                signed f == the units of f have the signs up on those       *)
(*               between k == the mix of two nets of a cell, k of the first   *)
(*             C22_steeper == residuals that serve for all nets, with         *)
(*                            multipliers of mu0 or more: from t to t' the    *)
(*                            bound rises by 2 mu0 (t' - t) / N               *)
(*          C22_mixed_nets == between two nets of a cell there is, for each   *)
(*                            size between theirs, one that loses no more     *)
(*                            than their mean                                 *)
(*              C22_convex == so the price there is at most that mean         *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c22_price.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Between.

Variables (R : realFieldType) (d m N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (x : 'rV[R]_d) (s base : 'rV[R]_m) (t l : R).

Definition reached (r : 'I_N -> 'rV[R]_m) (mu : R) s base t : R :=
  \sum_i (dot (r i) (y i) *+ 2 - normsq (r i)) + (mu * (dot s base + t)) *+ 2.

Theorem C22_steeper K n x s base t t' l mu0
    (r : 'I_K -> 'I_N -> 'rV[R]_m) (mu : 'I_K -> R) :
  (0 < N)%N -> 0 <= mu0 -> t <= t' -> (forall k, mu0 <= mu k) ->
  (forall k, \sum_i r k i + mu k *: s = 0) ->
  (forall theta : net R d m n, exists k, forall j,
     slope z (r k) (mu k) x s (inw theta j) (bias theta j) (outw theta j)
     <= 0) ->
  (forall k, N%:R * l <= reached (r k) (mu k) s base t) ->
  dearer z y n x s base t' (l + (mu0 * (t' - t)) *+ 2 / N%:R).
Proof.
move=> N_gt0 mu0_ge0 le_t mu_ge balance cover low theta def.
have [k slopes] := cover theta.
have Nr_gt0 : 0 < N%:R :> R by rewrite ltr0n.
have mu_ge0 := le_trans mu0_ge0 (mu_ge k).
rewrite -(ler_pM2l Nr_gt0).
apply: le_trans (C22_certificate y mu_ge0 (balance k) slopes def).
rewrite mulrDr [X in _ + X <= _]mulrC divfK ?gt_eqF //.
apply: le_trans (lerD (low k) (lexx _)) _; rewrite /reached -addrA lerD2l.
rewrite -mulrnDl.
have -> : mu k * (dot s base + t') = mu k * (dot s base + t) + mu k * (t' - t).
  by rewrite -mulrDr -addrA [t + _]addrC subrK.
by rewrite !mulr2n lerD // lerD2l ler_wpM2r ?subr_ge0.
Qed.

(* On nets of a cell: e_j is the direction of the output weights of unit j,   *)
(* p_j and q_j their sizes in the two nets.                                   *)
Variables (n : nat) (x : 'rV[R]_d) (theta theta' : net R d m n).
Variables (e : 'I_n -> 'rV[R]_m) (p q : 'I_n -> R).
Variable up : 'I_n -> 'rV[R]_d -> bool.

Definition seen u := u = x \/ exists i, u = z i.

Definition signed (f : net R d m n) := forall j u, seen u ->
  if up j u then 0 <= dot (inw f j) u + bias f j
  else dot (inw f j) u + bias f j <= 0.

Hypothesis p_ge0 : forall j, 0 <= p j.
Hypothesis q_ge0 : forall j, 0 <= q j.
Hypothesis outwE : forall j, outw theta j = p j *: e j.
Hypothesis outwE' : forall j, outw theta' j = q j *: e j.
Hypothesis signs : signed theta.
Hypothesis signs' : signed theta'.

Definition between (k : R) : net R d m n :=
  Net (fun j => (k * p j) *: inw theta j + ((1 - k) * q j) *: inw theta' j)
      (fun j => k * p j * bias theta j + (1 - k) * q j * bias theta' j)
      e (k *: shift theta + (1 - k) *: shift theta').

Lemma eval_between k u : 0 <= k <= 1 -> seen u ->
  eval (between k) u = k *: eval theta u + (1 - k) *: eval theta' u.
Proof.
case/andP=> k_ge0; rewrite -subr_ge0 => k_le1 seen_u.
rewrite /eval /= !scalerDr addrACA; congr (_ + _).
rewrite !scaler_sumr -big_split /=; apply: eq_bigr => j _.
rewrite outwE outwE' !scalerA -scalerDl; congr (_ *: _); rewrite /act /=.
rewrite dotDl !dotZl addrACA -!mulrDr.
have := signs j seen_u; have := signs' j seen_u; case: (up j u) => s' s0.
  rewrite !relu_id // ?addr_ge0 ?mulr_ge0 //.
  by rewrite -!mulrA ![p j * _]mulrC ![q j * _]mulrC.
rewrite [LHS]relu_0; last first.
  by rewrite -[X in _ <= X]addr0 lerD // mulr_ge0_le0 ?mulr_ge0.
by rewrite !relu_0 // !mul0r !mulr0 addr0.
Qed.

Lemma mean_less (a b c : 'rV[R]_m) k :
  k *: a + (1 - k) *: b - c = k *: (a - c) + (1 - k) *: (b - c).
Proof.
rewrite !scalerBr addrACA -opprD -scalerDl.
by rewrite [k + _]addrC subrK scale1r.
Qed.

Lemma mean_square (a b : 'rV[R]_m) k : 0 <= k <= 1 ->
  normsq (k *: a + (1 - k) *: b) <= k * normsq a + (1 - k) * normsq b.
Proof.
case/andP=> k_ge0; rewrite -subr_ge0 => k_le1; rewrite -subr_ge0.
have -> : k * normsq a + (1 - k) * normsq b - normsq (k *: a + (1 - k) *: b)
          = k * (1 - k) * normsq (a - b).
  rewrite /normsq !mulr_sumr -big_split -sumrB; apply: eq_bigr => i _ /=.
  rewrite !mxE; move: (a 0 i) (b 0 i) => u v; ring.
by rewrite !mulr_ge0 ?normsq_ge0.
Qed.

Theorem C22_mixed_nets s base t t' k : 0 <= k <= 1 ->
  defects x s base t theta -> defects x s base t' theta' ->
  exists2 f : net R d m n, defects x s base (k * t + (1 - k) * t') f
    & loss z y f <= k * loss z y theta + (1 - k) * loss z y theta'.
Proof.
move=> k01 def def'; have /andP[k_ge0] := k01; rewrite -subr_ge0 => k_le1.
exists (between k).
  rewrite /defects eval_between //; last by left.
  have -> : k *: eval theta x + (1 - k) *: eval theta' x - base
    = k *: (eval theta x - base) + (1 - k) *: (eval theta' x - base).
    exact: mean_less.
  by rewrite dotDr !dotZr lerD // ler_wpM2l.
rewrite /loss /mse !mulrA ![_ * N%:R^-1]mulrC -!mulrA -mulrDr.
rewrite ler_wpM2l ?invr_ge0 ?ler0n // !mulr_sumr -big_split.
apply: ler_sum => i _; rewrite eval_between //; last by right; exists i.
have -> : k *: eval theta (z i) + (1 - k) *: eval theta' (z i) - y i
  = k *: (eval theta (z i) - y i) + (1 - k) *: (eval theta' (z i) - y i).
  exact: mean_less.
exact: mean_square.
Qed.

Theorem C22_convex s base t t' k l : 0 <= k <= 1 ->
  defects x s base t theta -> defects x s base t' theta' ->
  dearer z y n x s base (k * t + (1 - k) * t') l ->
  l <= k * loss z y theta + (1 - k) * loss z y theta'.
Proof.
move=> k01 def def' low; have [f def_f] := C22_mixed_nets k01 def def'.
exact/le_trans/low.
Qed.

End Between.
