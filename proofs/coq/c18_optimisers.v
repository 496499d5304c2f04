(******************************************************************************)
(* C18 for the optimisers in use: momentum, Nesterov, Adam, NAdam and AdamW   *)
(* only scale a unit whose gradients have all been 0, if its first moment     *)
(* begins at 0. So they never move a dead unit, but for decoupled decay.      *)
(*                                                                            *)
(* rule == what is done with a parameter p, its moments q and s, and its      *)
(*                    gradient g: q := keep q + take g, s := second s g,      *)
(*                    p := rho p - (along q + ahead g) * size s               *)
(* momentum mu eta rho == heavy ball; eta the rate, rho the decoupled decay   *)
(* nesterov mu eta rho == the same with the gradient ahead                    *)
(* adam b1 b2 size rho == AdamW: size s is the rate over the root of s and a  *)
(*                    small number, both corrected for the bias of step t     *)
(*        place == a parameter of a unit: a weight, the bias, an output weight*)
(* unit_at theta j, grad_at e theta j == the parameters of unit j, and their  *)
(*                    gradients, where e are those of the loss by the output  *)
(*    trained rules == each step follows its rule in each parameter of unit j *)
(*     C18_optimisers == a dead unit stays dead and is scaled by the product  *)
(*                    of the rho                                              *)
(* C18_momentum, C18_nesterov, C18_adam == so for each of them                *)
(*    C18_splice == a function that reassigns some idle circuit, with the gain*)
(*                    of C12, wherever there is one; so `splices` holds of it *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c2_irrelevance c7_reassignment c12_uniform_gap c18_dead_units.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Rules.

Variable R : realFieldType.

Record rule := Rule {
  keep : R; take : R; second : R -> R -> R;
  rho : R; along : R; ahead : R; size : R -> R
}.

Definition first_moment (r : rule) (q g : R) := keep r * q + take r * g.

Definition moved_to (r : rule) (p q s g : R) :=
  rho r * p - (along r * first_moment r q g + ahead r * g) * size r (second r s g).

Definition momentum (mu eta rho0 : R) :=
  Rule mu 1 (fun s _ => s) rho0 eta 0 (fun=> 1).

Definition nesterov (mu eta rho0 : R) :=
  Rule mu 1 (fun s _ => s) rho0 (eta * mu) eta (fun=> 1).

Definition adam (b1 b2 : R) (size0 : R -> R) (rho0 : R) :=
  Rule b1 (1 - b1) (fun s g => b2 * s + (1 - b2) * g ^+ 2) rho0 1 0 size0.

Variables (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (drelu : R -> R).
Hypothesis drelu_lt0 : forall t, t < 0 -> drelu t = 0.
Implicit Types (theta : net R d m n) (j : 'I_n).

Definition place := ('I_d + option 'I_m)%type.

Definition unit_at theta j (c : place) :=
  match c with
  | inl k => inw theta j 0 k
  | inr None => bias theta j
  | inr (Some k) => outw theta j 0 k
  end.

Definition grad_at e theta j (c : place) :=
  let: (gw, gb, ga) := unit_grad z drelu e theta j in
  match c with inl k => gw 0 k | inr None => gb | inr (Some k) => ga 0 k end.

(* Of unit j: the nets, what their outputs should move by, and its moments.   *)
Definition trained (rules : nat -> rule) (thetas : nat -> net R d m n)
    (es : nat -> 'I_N -> 'rV[R]_m) (q s : nat -> place -> R) j :=
  forall t c, let g := grad_at (es t) (thetas t) j c in
  [/\ q t.+1 c = first_moment (rules t) (q t c) g,
      s t.+1 c = second (rules t) (s t c) g
    & unit_at (thetas t.+1) j c
      = moved_to (rules t) (unit_at (thetas t) j c) (q t c) (s t c) g].

Theorem C18_optimisers rules thetas es q s j :
  (forall t, 0 < rho (rules t)) -> trained rules thetas es q s j ->
  (forall c, q 0%N c = 0) -> dead z (thetas 0%N) j ->
  forall t, scaled_unit (\prod_(i < t) rho (rules i)) j (thetas 0%N) (thetas t)
            /\ dead z (thetas t) j.
Proof.
move=> rho_gt0 steps q0 dead0.
apply: (C18_any_optimiser drelu_lt0 (es := es) rho_gt0 _ dead0) => t still.
have g0 i c : (i <= t)%N -> grad_at (es i) (thetas i) j c = 0.
  move=> le_it; rewrite /grad_at still //.
  by case: c => [k|[k|]]; rewrite ?mxE.
have qt c : forall i, (i <= t)%N -> q i c = 0.
  elim=> [|i IH] le_it; first exact: q0.
  have [-> _ _] := steps i c; rewrite /first_moment g0 ?IH ?(ltnW le_it) //.
  by rewrite !mulr0 addr0.
have next c : unit_at (thetas t.+1) j c = rho (rules t) * unit_at (thetas t) j c.
  have [_ _ ->] := steps t c; rewrite /moved_to /first_moment qt // g0 //.
  by rewrite !mulr0 !addr0 mulr0 mul0r subr0.
split.
- by apply/rowP => k; rewrite mxE; apply: (next (inl k)).
- exact: (next (inr None)).
- by apply/rowP => k; rewrite mxE; apply: (next (inr (Some k))).
Qed.

Variables (thetas : nat -> net R d m n) (es : nat -> 'I_N -> 'rV[R]_m).
Variables (q s : nat -> place -> R) (j : 'I_n) (rho0 : nat -> R).
Hypothesis rho0_gt0 : forall t, 0 < rho0 t.
Hypothesis q0 : forall c, q 0%N c = 0.
Hypothesis dead0 : dead z (thetas 0%N) j.

Let stays := forall t,
  scaled_unit (\prod_(i < t) rho0 i) j (thetas 0%N) (thetas t) /\ dead z (thetas t) j.

Theorem C18_momentum (mu eta : nat -> R) :
  trained (fun t => momentum (mu t) (eta t) (rho0 t)) thetas es q s j -> stays.
Proof. by move=> /C18_optimisers; apply. Qed.

Theorem C18_nesterov (mu eta : nat -> R) :
  trained (fun t => nesterov (mu t) (eta t) (rho0 t)) thetas es q s j -> stays.
Proof. by move=> /C18_optimisers; apply. Qed.

Theorem C18_adam (b1 b2 : nat -> R) (size0 : nat -> R -> R) :
  trained (fun t => adam (b1 t) (b2 t) (size0 t) (rho0 t)) thetas es q s j -> stays.
Proof. by move=> /C18_optimisers; apply. Qed.

End Rules.

Section Splice.

Variables (R : realFieldType) (d m n N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (theta : net R d m n).

(* Whether a circuit is train-idle is decided on the data.                    *)
Definition idle_here theta (J : {set 'I_n}) :=
  [forall i, forall i', circuit_out theta J (z i) == circuit_out theta J (z i')].

Definition gains h D theta theta' :=
  loss z y theta' <= loss z y theta - gap N h D * (loss z y theta - floor z y).

Lemma idle_hereP theta J : train_idle z theta J -> idle_here theta J.
Proof. by move=> [v idle]; apply/forallP => i; apply/forallP => i'; rewrite !idle. Qed.

Lemma splice_at w h D theta : gauge z w h D ->
  {theta' | forall J, J != set0 -> train_idle z theta J -> gains h D theta theta'}.
Proof.
move=> gauge_w.
case: (pickP (fun J => (J != set0) && idle_here theta J)) => [J|none]; last first.
  by exists theta => J J_neq0 /idle_hereP idle; have := none J; rewrite J_neq0 idle.
move=> /andP[J_neq0 same]; case: (pickP (mem J)) => [j jJ|empty]; last first.
  suff : false by []; move: J_neq0 => /set0Pn[j jJ].
  by have := empty j; rewrite /= jJ.
pose v := if [pick i : 'I_N] is Some i then circuit_out theta J (z i) else 0.
have idle : idle_at z theta J v.
  move=> i; rewrite /v; case: pickP => [i0 _|/(_ i)//].
  by apply/eqP; move/forallP/(_ i)/forallP/(_ i0): same.
pose good (q : R * 'rV[R]_m) :=
  loss z y (set_unit (hardcode theta J v) j w q.1 q.2)
    <= loss z y theta - gap N h D * (loss z y theta - floor z y).
have found : exists q, good q.
  have [b [a le_a]] := C12_gain gauge_w y (hardcode theta J v); exists (b, a).
  move: le_a; rewrite (C2_same_mse idle) /good loss_set_unit //=.
  by rewrite (jJ : j \in J).
exists (set_unit (hardcode theta J v) j w (xchoose found).1 (xchoose found).2).
by move=> J' _ _; apply: (xchooseP found).
Qed.

Theorem C18_splice : exists w h D (splice : net R d m n -> net R d m n),
  [/\ gauge z w h D, splices z y splice
    & forall theta J, J != set0 -> train_idle z theta J -> gains h D theta (splice theta)].
Proof.
have [w [h [D gauge_w]]] := C12_gauge z.
exists w, h, D, (fun theta => sval (splice_at theta gauge_w)).
have all_gain theta J : J != set0 -> train_idle z theta J ->
    gains h D theta (sval (splice_at theta gauge_w)).
  by case: splice_at => theta' /= gain; apply: gain.
split=> // theta J J_neq0 idle lt_E; apply: le_lt_trans (all_gain _ _ J_neq0 idle) _.
have N_gt0 : (0 < N)%N.
  rewrite lt0n; apply: contraTneq lt_E => N0.
  have N0' : N%:R = 0 :> R by rewrite N0.
  by rewrite /loss /net.floor /mse N0' invr0 !mul0r ltxx.
by rewrite gtrDl oppr_lt0 mulr_gt0 ?subr_gt0 // (C12_gap_gt0 gauge_w).
Qed.

End Splice.
