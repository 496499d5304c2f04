(******************************************************************************)
(* C22, the price of any defection: what it costs in loss that the answer at  *)
(* x is moved by t in a direction s from some base, whatever circuit does it. *)
(* The price is inf L(theta) - L*(n) over the theta of S_n that defect. An    *)
(* infimum need not be attained: the claims speak of lower bounds l of L.     *)
(*                                                                            *)
(* defects x s base t theta == t <= s . (f_theta(x) - base)                   *)
(* dearer n x s base t l == nets of S_n that defect have loss >= l            *)
(*   readout theta c u v == c + sum_j u_j act theta j v                       *)
(*     moved theta c u a == theta and its readout times the vector a          *)
(*  slope r mu x s w b a == what r and mu make of a unit                      *)
(*       C22_nonnegative == the price is 0 or more                            *)
(*          C22_monotone == a larger defection is no cheaper                  *)
(*         C22_minimiser == if a minimiser defects, the price is 0            *)
(*      C22_no_minimiser == if the price is not 0, no minimiser defects       *)
(*               C22_tax == if k units detect x, the price is at most the     *)
(*                          tax of C11, L*(n - k) - L*(n), for all s, base, t *)
(*       C22_tax_outside == so for x outside the hull, any k >= 1             *)
(*     C22_tax_not_train == and for x no training input, any k >= 3           *)
(*          C22_leverage == at a minimiser it is at most t^2 / (N h |s|^2), h *)
(*                          the leverage of x: the readout price of C21       *)
(*            C22_mixing == x a training input, nu times: N (L - E)           *)
(*                          is nu |f(x) - ybar|^2 and what the others give    *)
(*             C22_mixed == so who is no worse than theta0 is near ybar       *)
(*       C22_certificate == residuals r and a multiplier mu >= 0 bound L      *)
(*                          for defecting nets whose units have slope <= 0    *)
(*              C22_rays == on a cone of weights that is seen at the rays     *)
(******************************************************************************)
From mathcomp Require Import all_ssreflect all_algebra ring.
From absence Require Import net c10_detector_size c11_price.
From absence Require Import c21_readout_price.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.
Local Open Scope ring_scope.

Section Price.

Variables (R : realFieldType) (d m N : nat).
Variables (z : 'I_N -> 'rV[R]_d) (y : 'I_N -> 'rV[R]_m).
Implicit Types (x : 'rV[R]_d) (s base : 'rV[R]_m) (t l : R).

Definition defects n x s base t (theta : net R d m n) :=
  t <= dot s (eval theta x - base).

Definition dearer n x s base t l :=
  forall theta : net R d m n, defects x s base t theta -> l <= loss z y theta.

Theorem C22_nonnegative n x s base t l :
  (forall theta : net R d m n, l <= loss z y theta) -> dearer n x s base t l.
Proof. by move=> low theta _. Qed.

Theorem C22_monotone n x s base t t' l :
  t <= t' -> dearer n x s base t l -> dearer n x s base t' l.
Proof. by move=> tt' low theta; move/(le_trans tt'); exact: low. Qed.

(* The price is 0 at a defecting minimiser: no bound of the defecting nets is *)
(* above the loss of any net.                                                 *)
Theorem C22_minimiser n x s base t l (theta : net R d m n) :
  minimiser z y theta -> defects x s base t theta -> dearer n x s base t l ->
  forall theta' : net R d m n, l <= loss z y theta'.
Proof. by move=> min def low theta'; apply: le_trans (low _ def) (min _). Qed.

Theorem C22_no_minimiser n x s base t l (theta' : net R d m n) :
  dearer n x s base t l -> loss z y theta' < l ->
  forall theta : net R d m n, minimiser z y theta -> ~ defects x s base t theta.
Proof.
move=> low lt_l theta min def.
by have := C22_minimiser min def low theta'; rewrite leNgt lt_l.
Qed.

Lemma dotN k (u v : 'rV[R]_k) : dot u (- v) = - dot u v.
Proof. by rewrite -scaleN1r dotZr mulN1r. Qed.

Lemma dim_gt0 k (v : 'rV[R]_k) : v != 0 -> (0 < k)%N.
Proof. by case: k v => // v; rewrite [v]thinmx0 eqxx. Qed.

(* A detector can be given any size and direction.                            *)
Lemma aimed k x s a : s != 0 -> detector m z k x ->
  exists (psi : net R d m k) v,
    idle_at z psi setT v /\ dot s (circuit_out psi setT x - v) = a.
Proof.
move=> s_neq0 [psi [v idle fires_x]].
have /rV0Pn[i] : circuit_out psi setT x - v != 0 by rewrite subr_eq0.
rewrite coordB; set e := _ - _ => e_neq0.
have s_gt0 : 0 < normsq s by rewrite normsq_gt0.
pose b := a / (e * normsq s).
pose psi' := Net (inw psi) (bias psi) (fun j => (b * outw psi j 0 i) *: s) 0.
have outE u : circuit_out psi' setT u = (b * circuit_out psi setT u 0 i) *: s.
  rewrite /circuit_out summxE mulr_sumr scaler_suml; apply: eq_bigr => j _.
  by rewrite /act /= mxE scalerA mulrCA.
exists psi', ((b * v 0 i) *: s); split=> [j|]; first by rewrite outE idle.
rewrite outE -scalerBl -mulrBr dotZr dot_normsq /b -/e.
by rewrite -mulrA divfK // mulf_neq0 // gt_eqF.
Qed.

Theorem C22_tax n k x s base t l : (k <= n)%N -> s != 0 -> detector m z k x ->
  dearer n x s base t l ->
  forall theta : net R d m (n - k), l <= loss z y theta.
Proof.
move=> le_kn s_neq0 det; move: (n - k)%N (subnK le_kn) => {le_kn} p.
case: n / => low theta.
have [psi [v [idle aim]]] := aimed (t - dot s (eval theta x - base)) s_neq0 det.
rewrite -(loss_join y theta idle); apply: low; rewrite /defects eval_join.
by rewrite addrAC dotDr aim addrCA subrr addr0.
Qed.

Theorem C22_tax_outside n k x s base t l : (0 < k <= n)%N -> s != 0 ->
  ~ in_hull z x -> dearer n x s base t l ->
  forall theta : net R d m (n - k), l <= loss z y theta.
Proof.
move=> /andP[k_gt0 le_kn] s_neq0 out_x; apply: (C22_tax le_kn s_neq0).
have m_gt0 := dim_gt0 s_neq0.
exact/(detector_pad k_gt0)/C10_one_unit.
Qed.

Theorem C22_tax_not_train n k x s base t l : (3 <= k <= n)%N -> s != 0 ->
  (forall i, z i != x) -> dearer n x s base t l ->
  forall theta : net R d m (n - k), l <= loss z y theta.
Proof.
move=> /andP[k_ge3 le_kn] s_neq0 z_neq; apply: (C22_tax le_kn s_neq0).
have m_gt0 := dim_gt0 s_neq0.
exact/(detector_pad k_ge3)/C10_bump.
Qed.

Lemma scaled_mse (f : 'rV[R]_d -> 'rV[R]_m) :
  N%:R * mse z y f = \sum_i normsq (f (z i) - y i).
Proof.
rewrite /mse mulrA; have [N0|N_neq0] := eqVneq (N%:R : R) 0; last first.
  by rewrite divff ?mul1r.
rewrite N0 mul0r mul0r big1 // => i _; move/eqP: N0; rewrite pnatr_eq0.
by rewrite -leqn0 leqNgt (leq_ltn_trans (leq0n i) (ltn_ord i)).
Qed.

Theorem C22_leverage n (theta : net R d m n) x s t l h :
  s != 0 -> minimiser z y theta -> leverage z theta x h ->
  dearer n x s (eval theta x) t l ->
  l <= loss z y theta + t ^+ 2 / (N%:R * h * normsq s).
Proof.
move=> s_neq0 min lev low; have s_gt0 : 0 < normsq s by rewrite normsq_gt0.
pose w := (t / normsq s) *: s.
have [_ [theta' [_ fx lossE]]] := C21_price w (fun theta' _ => min theta') lev.
have wE : normsq w = t ^+ 2 / normsq s.
  by rewrite normsqZ; field; rewrite gt_eqF.
have -> : t ^+ 2 / (N%:R * h * normsq s) = loss z y theta' - loss z y theta.
  by rewrite lossE wE invfM mulrA mulrAC.
rewrite addrC subrK; apply: low.
by rewrite /defects fx addrAC subrr add0r dotZr dot_normsq divfK ?gt_eqF.
Qed.

(* Mixing: a defection at a training input is paid with its multiplicity.     *)
Lemma sum_group (F : 'rV[R]_d -> R) i :
  \sum_j F (z j) = (nu z (z i))%:R * F (z i) + \sum_(j | z j != z i) F (z j).
Proof.
rewrite (bigID (fun j => z j == z i)) /=; congr (_ + _).
rewrite (eq_bigr (fun=> F (z i))) => [|j /eqP-> //].
by rewrite sumr_const mulr_natl.
Qed.

Theorem C22_mixing n (theta : net R d m n) i :
  (nu z (z i))%:R * normsq (eval theta (z i) - gmean z y (z i))
  + \sum_(j | z j != z i) normsq (gres z y (eval theta) (z j))
  = N%:R * (loss z y theta - floor z y).
Proof.
have N_neq0 : N%:R != 0 :> R.
  by rewrite pnatr_eq0 -lt0n; case: i => j /(leq_ltn_trans (leq0n j)).
rewrite /loss mse_floor addrAC subrr add0r mulrA divff // mul1r.
by rewrite (sum_group (fun u => normsq (gres z y (eval theta) u)) i) normsqBC.
Qed.

Theorem C22_mixed n (theta0 theta : net R d m n) i :
  loss z y theta <= loss z y theta0 ->
  (nu z (z i))%:R * normsq (eval theta (z i) - gmean z y (z i))
  <= N%:R * (loss z y theta0 - floor z y)
     - \sum_(j | z j != z i) normsq (gres z y (eval theta) (z j)).
Proof.
move=> le_loss; rewrite lerBrDr C22_mixing.
by rewrite ler_wpM2l ?ler0n // lerD2r.
Qed.

(* The certificate                                                            *)

Variables (r : 'I_N -> 'rV[R]_m) (mu : R).

(* What the residuals and the multiplier make of a unit of output weight a.   *)
Definition slope x s w b a :=
  \sum_i relu (dot w (z i) + b) * dot (r i) a
  + mu * (relu (dot w x + b) * dot s a).

Theorem C22_certificate n x s base t (theta : net R d m n) :
  0 <= mu -> \sum_i r i + mu *: s = 0 ->
  (forall j, slope x s (inw theta j) (bias theta j) (outw theta j) <= 0) ->
  defects x s base t theta ->
  \sum_i (dot (r i) (y i) *+ 2 - normsq (r i)) + (mu * (dot s base + t)) *+ 2
  <= N%:R * loss z y theta.
Proof.
move=> mu_ge0 balance slopes def; pose f := eval theta.
have sent : \sum_i dot (r i) (f (z i)) + mu * dot s (f x) <= 0.
  have evalE v u : dot v (f u) = dot v (shift theta)
      + \sum_j relu (dot (inw theta j) u + bias theta j) * dot v (outw theta j).
    rewrite dotDr dot_sumr; congr (_ + _).
    by apply: eq_bigr => j _; rewrite dotZr.
  rewrite evalE (eq_bigr _ (fun i _ => evalE (r i) (z i))) big_split /= mulrDr.
  have shift0 : \sum_i dot (r i) (shift theta) + mu * dot s (shift theta) = 0.
    rewrite (eq_bigr _ (fun i _ => dotC (r i) (shift theta))) -dot_sumr.
    rewrite [dot (shift theta) _]dotC -dotZl.
    by rewrite -dotDl balance dot0l.
  rewrite addrACA shift0 add0r exchange_big mulr_sumr -big_split /=.
  rewrite -oppr_ge0 -sumrN sumr_ge0 // => j _.
  by rewrite oppr_ge0; apply: slopes.
rewrite /loss scaled_mse -/f; apply: le_trans (_ : _ <=
    \sum_i (dot (r i) (y i) *+ 2 - normsq (r i))
    - (\sum_i dot (r i) (f (z i))) *+ 2) _.
  have def' : dot s base + t <= dot s (f x).
    by move: def; rewrite /defects dotBr lerBrDl.
  suff half : mu * (dot s base + t) <= - \sum_i dot (r i) (f (z i)).
    by rewrite lerD2l -mulNrn !mulr2n lerD.
  rewrite -subr_ge0 -opprD oppr_ge0 addrC; apply: le_trans sent.
  by rewrite addrC lerD2l ler_wpM2l.
rewrite -sumrMnl -sumrB; apply: ler_sum => i _; rewrite -subr_ge0.
suff -> : normsq (f (z i) - y i) - (dot (r i) (y i) *+ 2 - normsq (r i)
            - dot (r i) (f (z i)) *+ 2) = normsq (f (z i) - y i + r i).
  exact: normsq_ge0.
have -> : f (z i) - y i + r i = (f (z i) - y i) - (- r i) by rewrite opprK.
rewrite [RHS]normsqB normsqN dotN [dot (_ - _) _]dotC dotBr.
by move: (dot (r i) (y i)) (dot (r i) (f (z i))) => p q; ring.
Qed.

(* On a cone of weights that keep their signs on the inputs and at x, the     *)
(* activations are the combinations of those of the rays.                     *)
Theorem C22_rays K x s a (w : 'I_K -> 'rV[R]_d) (b c : 'I_K -> R)
    (up : 'rV[R]_d -> bool) :
  (forall k, 0 <= c k) ->
  (forall k u, u = x \/ (exists i, u = z i) ->
     if up u then 0 <= dot (w k) u + b k else dot (w k) u + b k <= 0) ->
  (forall k, slope x s (w k) (b k) a <= 0) ->
  slope x s (\sum_k c k *: w k) (\sum_k c k * b k) a <= 0.
Proof.
move=> c_ge0 same low.
have actE u : u = x \/ (exists i, u = z i) ->
    relu (dot (\sum_k c k *: w k) u + \sum_k c k * b k)
    = \sum_k c k * relu (dot (w k) u + b k).
  move=> seen.
  have -> : dot (\sum_k c k *: w k) u + \sum_k c k * b k
            = \sum_k c k * (dot (w k) u + b k).
    rewrite dotC dot_sumr -big_split; apply: eq_bigr => k _ /=.
    by rewrite dotZr dotC mulrDr.
  have := fun k => same k u seen; case: (up u) => sgn.
    rewrite relu_id; first by apply: eq_bigr => k _; rewrite relu_id.
    by apply: sumr_ge0 => k _; rewrite mulr_ge0.
  rewrite relu_0; first by rewrite big1 // => k _; rewrite relu_0 ?mulr0.
  rewrite -oppr_ge0 -sumrN sumr_ge0 // => k _.
  by rewrite -mulrN mulr_ge0 ?oppr_ge0.
have -> : slope x s (\sum_k c k *: w k) (\sum_k c k * b k) a
          = \sum_k c k * slope x s (w k) (b k) a.
  under [RHS]eq_bigr do rewrite /slope mulrDr mulr_sumr.
  rewrite big_split /= exchange_big /slope /=; congr (_ + _).
    apply: eq_bigr => i _; rewrite actE; last by right; exists i.
    by rewrite mulr_suml; apply: eq_bigr => k _; rewrite mulrA.
  rewrite actE; last by left.
  rewrite mulr_suml mulr_sumr; apply: eq_bigr => k _.
  by rewrite -mulrA mulrCA.
rewrite -oppr_ge0 -sumrN sumr_ge0 // => k _.
by rewrite -mulrN mulr_ge0 ?oppr_ge0.
Qed.

End Price.
