(******************************************************************************)
(* C6, underparameterisation: four statements on one net theta are equivalent *)
(*   (i)   some wider net has lower loss                                      *)
(*   (ii)  theta with one more unit has lower loss                            *)
(*   (iii) L(theta) > E                                                       *)
(*   (iv)  some group residual is not 0.                                      *)
(*                                                                            *)
(*      C6_noise_floor == E is the least loss any function can reach          *)
(*     C6_floor_reached == and the mean target reaches it                     *)
(*       C6_equivalents == the claim                                          *)
(*     C6_zero_iff == at the floor iff all group residuals are 0              *)
(*     C6_identity == L - E, for any function, over the distinct inputs       *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra.
From absence Require Import net c4_separating_unit c5_exact_descent.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Underparameterised.

Variables (R : realFieldType) (d m N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).

Theorem C6_noise_floor f : floor z y <= mse z y f.
Proof. exact: net.floor_le. Qed.

Theorem C6_floor_reached : exists f, mse z y f = floor z y.
Proof. by exists (gmean z y). Qed.

Theorem C6_identity f :
  mse z y f = floor z y + N%:R^-1 *
    \sum_(u <- undup (map z (enum 'I_N))) (nu z u)%:R * normsq (gres z y f u).
Proof. exact: mse_floor_distinct. Qed.

Theorem C6_zero_iff f :
  mse z y f = floor z y <-> forall i, gres z y f (z i) = 0.
Proof.
rewrite mse_floor; split=> [/eqP|res0]; last first.
  by rewrite big1 ?mulr0 ?addr0 // => i _; apply/eqP; rewrite normsq_eq0 res0.
rewrite -subr_eq0 addrAC subrr add0r mulf_eq0 invr_eq0 pnatr_eq0 => /orP[N0 i|].
  by have := ltn_ord i; rewrite {2}(eqP N0).
rewrite psumr_eq0 => [/allP res0 i|i _]; last exact: normsq_ge0.
have /eqP/eqP := res0 i (mem_index_enum i).
by rewrite normsq_eq0 => /eqP.
Qed.

Theorem C6_equivalents n (theta : net R d m n) :
  [<-> exists n' (theta' : net R d m n'),
         (n < n')%N /\ loss z y theta' < loss z y theta;
       exists w b a, loss z y (add_unit theta w b a) < loss z y theta;
       floor z y < loss z y theta;
       exists i, gres z y (eval theta) (z i) != 0].
Proof.
have to3 n' (theta' : net R d m n') :
    loss z y theta' < loss z y theta -> floor z y < loss z y theta.
  exact: le_lt_trans (net.floor_le _ _ _).
suff [to4 to2] : (floor z y < loss z y theta ->
    exists i, gres z y (eval theta) (z i) != 0) /\
  ((exists i, gres z y (eval theta) (z i) != 0) ->
    exists w b a, loss z y (add_unit theta w b a) < loss z y theta).
  tfae=> [[n' [theta' [_ /to3]]]|[w [b [a /to3]]]||/to2] //.
  - by move=> /to4/to2.
  - by move=> [w [b [a lt_a]]]; exists n.+1, (add_unit theta w b a).
split=> [lt_E|[i res_i]].
  case: (pickP (fun i => gres z y (eval theta) (z i) != 0)) => [i|res0].
    by exists i.
  move: lt_E; rewrite lt_neqAle eq_sym => /andP[/eqP[]]; apply/C6_zero_iff => i.
  by apply/eqP; move/negbFE: (res0 i).
have [|w [b s_neq0]] :=
    @C4_separating_unit _ _ _ _ z (fun i => y i - eval theta (z i)).
  by exists i; rewrite -gmean_eq0 -gres_gmean.
have [a lt_a] := C5_add_unit_lower s_neq0.
by exists w, b, a.
Qed.

End Underparameterised.
