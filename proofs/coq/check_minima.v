(******************************************************************************)
(* Checkers of the least loss over all nets with one output and n hidden      *)
(* units, and over those of them whose output at x is moved from a base: by   *)
(* residuals r, sum_i (y_i - f(z_i))^2 is at least                            *)
(* sum_i r_i (2 y_i - r_i) - 2 sum_i r_i f(z_i).                              *)
(*                                                                            *)
(*  lbound rs ys == sum_i r_i (2 y_i - r_i), for targets of one output        *)
(* check_minimum == no net of n units has a lower loss, and the net's own     *)
(*                    units beyond these send nothing                         *)
(*   check_price == no net of n units whose output at x is at s least t above *)
(*                    a base net's has a lower loss than the net, and the net *)
(*                    is such (below it if up is false)                       *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ ring.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_signs c22_price.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Definition qhead (s : seq Q) : Q := head Q0 s.

Definition lbound (r : seq Q) (ys : seq (seq Q)) : Q :=
  lfold [seq omul Qops p.1 (qsub (oadd Qops (qhead p.2) (qhead p.2)) p.1)
        | p <- zip r ys].

Definition least_by N (sse : Q) (ys : seq (seq Q)) (extra : seq Q -> Q) r :=
  (size r == N) && ~~ lpos (qsub sse (oadd Qops (lbound r ys) (extra r))).

Definition silent (k : nat) (us : seq (unit Q)) :=
  all (fun un => lsame un.2 [:: Q0]) (drop k us).

Definition check_minimum d n k N us c zs ys rs t :=
  [&& fits d 1 n us c, check_data d 1 N zs ys, (k <= n)%N, silent k us,
      check_signs d zs rs k t
    & all (fun r => Qeq_bool (lfold r) Q0
                    && least_by N (lsse Qops us c (zip zs ys)) ys (fun=> Q0) r)
        rs].

(* Of a list of residuals, the multiplier of x: minus their sum.              *)
Definition lmult (r : seq Q) : Q := oopp Qops (lfold r).

Definition moved_to (us : seq (unit Q)) c (us' : seq (unit Q)) c' x : Q :=
  qsub (qhead (leval Qops us c x)) (qhead (leval Qops us' c' x)).

Definition check_price d n n' k N us c us' c' zs ys x up by_ rs t :=
  let base := qhead (leval Qops us' c' x) in
  let goal := oadd Qops base (signed up by_) in
  [&& fits d 1 n us c, fits d 1 n' us' c', check_data d 1 N zs ys,
      size x == d, (k <= n)%N && silent k us,
      ~~ lneg (qsub (signed up (moved_to us c us' c' x)) by_),
      check_signs d (x :: zs) [seq lmult r :: r | r <- rs] k t
    & all (fun r => ~~ lneg (signed up (lmult r))
             && least_by N (lsse Qops us c (zip zs ys)) ys
                  (fun r => omul Qops (oadd Qops (lmult r) (lmult r)) goal) r)
        rs].

Local Open Scope ring_scope.

Section Correct.

Variables (R : realFieldType) (d : nat).
Local Notation ratio := (ratio R).
Local Notation vec := (vec R).
Local Notation points := (points R).
Local Notation qnet := (qnet R).
Local Arguments int_of_Z : simpl never.

Lemma ratio_sum1 s : ratio (lfold s) = \sum_(q <- s) ratio q.
Proof. by rewrite /lfold -[s in foldr _ _ s]map_id ratio_sum. Qed.

Lemma residual_square (f t q : R) :
  q * (t *+ 2 - q) - (q * f) *+ 2 <= (f - t) ^+ 2.
Proof.
rewrite -subr_ge0; have -> : (f - t) ^+ 2 - (q * (t *+ 2 - q) - (q * f) *+ 2)
    = (f - t + q) ^+ 2 by ring.
exact: sqr_ge0.
Qed.

Section Data.

Variables (N : nat) (zs ys : seq (seq Q)).
Hypothesis data : check_data d 1 N zs ys.
Local Notation z := (points d N zs).
Local Notation y := (points 1 N ys).

Let zs_N : size zs = N. Proof. by case/and3P: data => /andP[/eqP]. Qed.
Let ys_N : size ys = N. Proof. by case/and3P: data => _ /andP[/eqP]. Qed.

Section Residuals.

Variable r : seq Q.
Hypothesis r_N : size r = N.
Local Notation ri i := (ratio (nth Q0 r i)).

Lemma zip_sum (F : Q -> seq Q -> R) (s : seq (seq Q)) : size s = N ->
  \sum_(p <- zip r s) F p.1 p.2
  = \sum_(i < N) F (nth Q0 r i) (nth [::] s i).
Proof.
move=> s_N; rewrite (big_nth (Q0, [::])) size_zip r_N s_N minnn big_mkord.
by apply: eq_bigr => i _; rewrite nth_zip ?r_N ?s_N.
Qed.

Lemma lbound_correct :
  ratio (lbound r ys) = \sum_(i < N) ri i * (y i 0 0 *+ 2 - ri i).
Proof.
rewrite /lbound /lfold ratio_sum.
rewrite (zip_sum (fun q s => ratio (omul Qops q
  (qsub (oadd Qops (qhead s) (qhead s)) q))) ys_N).
apply: eq_bigr => i _; rewrite ratioM ratio_sub ratioD mxE mulr2n.
by rewrite /qhead -nth0.
Qed.

Lemma sum_residuals : ratio (lfold r) = \sum_(i < N) ri i.
Proof. by rewrite ratio_sum1 (big_nth Q0) r_N big_mkord. Qed.

Lemma residual_bound n (theta : net R d 1 n) :
  \sum_(i < N) ri i * (y i 0 0 *+ 2 - ri i)
  - (\sum_(i < N) ri i * eval theta (z i) 0 0) *+ 2
  <= \sum_(i < N) normsq (eval theta (z i) - y i).
Proof.
rewrite -sumrMnl -sumrB; apply: ler_sum => i _.
by rewrite normsq1 coordB residual_square.
Qed.

End Residuals.

Lemma lsse_net n us c : fits d 1 n us c ->
  ratio (lsse Qops us c (zip zs ys))
  = \sum_(i < N) normsq (eval (qnet d 1 n us c) (z i) - y i).
Proof.
move=> ok; have := lsse_qnet R data ok; rewrite /loss /mse => /esym.
by move/(mulfI _); apply; rewrite invr_eq0 (N_neq0 _ data).
Qed.

Lemma le_loss n us c k (theta : net R d 1 k) : fits d 1 n us c ->
  ratio (lsse Qops us c (zip zs ys))
    <= \sum_(i < N) normsq (eval theta (z i) - y i) ->
  loss z y (qnet d 1 n us c) <= loss z y theta.
Proof.
move=> ok le_sse; rewrite lsse_qnet // /loss /mse.
by rewrite ler_wpM2l // invr_ge0 ler0n.
Qed.

End Data.

Lemma silentP k n us c : fits d 1 n us c -> silent k us ->
  forall j : 'I_n, (k <= j)%N -> outw (qnet d 1 n us c) j = 0.
Proof.
case/and3P=> _ /eqP us_n _ /(all_nthP lunit0) none j k_j.
have := none (j - k)%N; rewrite size_drop us_n ltn_subRL subnKC //.
move/(_ (ltn_ord j)); rewrite nth_drop subnKC // => /vec_same-/(_ R 1%N) /= ->.
by apply/rowP=> i; rewrite !mxE ord1 ratio0.
Qed.

Section Minimum.

Variables (n k N : nat) (us : seq (unit Q)) (c : seq Q) (zs ys : seq (seq Q)).
Variables (rs : seq (seq Q)) (t : tree).
Let z := points d N zs.
Let y := points 1 N ys.
Let theta := qnet d 1 n us c.

Theorem C22_check_minimum : check_minimum d n k N us c zs ys rs t ->
  (forall theta' : net R d 1 k, loss z y theta <= loss z y theta')
  /\ forall j : 'I_n, (k <= j)%N -> outw theta j = 0.
Proof.
case/and5P=> ok data k_n none /andP[signs /(all_nthP [::]) bound].
split=> [theta'|]; last exact: silentP ok none.
have [i i_lt le0] := C22_check_signs theta' signs.
have /and3P[sum0 /eqP r_N le_sse] := bound i i_lt.
set r := nth [::] rs i in le0 sum0 r_N le_sse.
apply: (le_loss data ok).
apply: le_trans; last exact: (residual_bound N zs ys r theta').
move: le_sse; rewrite -(ratio_gt0 R) ratio_sub subr_gt0 -leNgt ratioD ratio0.
rewrite addr0 (lbound_correct data r_N) => /le_trans; apply.
rewrite lerDl oppr_ge0 mulrn_wle0 //; move: le0.
have /andP[/andP[/eqP zs_N _] _] := data.
rewrite (zip_sum r_N (fun q s => ratio q * (eval theta' (vec d s) 0 0
  - shift theta' 0 0)) zs_N).
under eq_bigr do rewrite mulrBr; rewrite sumrB -mulr_suml.
move: sum0; rewrite -(ratioP R) ratio0 (sum_residuals r_N) => /eqP->.
by rewrite mul0r subr0.
Qed.

End Minimum.

Section Price.

Variables (n n' k N : nat) (us us' : seq (unit Q)) (c c' : seq Q).
Variables (zs ys : seq (seq Q)) (x : seq Q) (up : bool) (by_ : Q).
Variables (rs : seq (seq Q)) (t : tree).
Let z := points d N zs.
Let y := points 1 N ys.
Let theta := qnet d 1 n us c.
Let base := eval (qnet d 1 n' us' c') (vec d x).
Let side : 'rV[R]_1 := const_mx (sgn up 1).

Lemma head_eval n0 us0 c0 : fits d 1 n0 us0 c0 -> size x = d ->
  ratio (qhead (leval Qops us0 c0 x)) = eval (qnet d 1 n0 us0 c0) (vec d x) 0 0.
Proof.
move=> ok x_d; have := row_eval R ok x_d; rewrite /row enum_ordSl /=.
by case: (leval _ _ _ _) => //= q qs [<-].
Qed.

Lemma dot_side (u : 'rV[R]_1) : dot side u = sgn up (u 0 0).
Proof. by rewrite /dot big_ord1 mxE sgnM mul1r. Qed.

Lemma sgn_ge0M (a u v : R) : 0 <= sgn up a -> sgn up u <= sgn up v ->
  a * u <= a * v.
Proof.
case: up => /= a_ge0; first by move=> uv; apply: ler_wpM2l.
by rewrite -[a * u]mulrNN -[a * v]mulrNN; apply: ler_wpM2l.
Qed.

Theorem C22_check_price :
    check_price d n n' k N us c us' c' zs ys x up by_ rs t ->
  [/\ defects (vec d x) side base (ratio by_) theta,
      dearer z y k (vec d x) side base (ratio by_) (loss z y theta)
    & forall j : 'I_n, (k <= j)%N -> outw theta j = 0].
Proof.
rewrite /check_price; set goal := oadd _ _ _.
case/and5P=> ok ok' data /eqP x_d /and4P[/andP[k_n none] moved signs].
move=> /(all_nthP [::]) bound.
have goalE : ratio goal = base 0 0 + sgn up (ratio by_).
  by rewrite ratioD (head_eval ok') // ratio_signed.
split; last exact: silentP ok none.
  move: moved; rewrite -(ratio_ge0 R) ratio_sub subr_ge0 ratio_signed.
  by rewrite ratio_sub (head_eval ok) // (head_eval ok') // /defects dot_side
    coordB.
move=> theta' moved'.
have [i] := C22_check_signs theta' signs; rewrite size_map => i_lt.
rewrite (nth_map [::]) //.
have /and3P[mult_ge0 /eqP r_N le_sse] := bound i i_lt.
set r := nth [::] rs i in mult_ge0 r_N le_sse *; rewrite /= big_cons /= => le0.
apply: (le_loss data ok).
apply: le_trans; last exact: (residual_bound N zs ys r theta').
move: le_sse; rewrite -(ratio_gt0 R) ratio_sub subr_gt0 -leNgt ratioD ratioM.
rewrite ratioD (lbound_correct data r_N) => /le_trans; apply.
rewrite lerD2l; set f := \sum_(j < N) _ * eval _ _ 0 0.
suff half : ratio (lmult r) * ratio goal <= - f.
  by rewrite mulrDl mulr2n opprD lerD.
have multE : ratio (lmult r) = - \sum_(j < N) ratio (nth Q0 r j).
  by rewrite ratioN (sum_residuals r_N).
have reach : ratio (lmult r) * ratio goal
    <= ratio (lmult r) * eval theta' (vec d x) 0 0.
  move: mult_ge0; rewrite -(ratio_ge0 R) ratio_signed => /sgn_ge0M; apply.
  move: moved'; rewrite /defects dot_side coordB goalE.
  case: (up) => /=; first by rewrite lerBrDl.
  by rewrite opprB lerBrDl lerN2 lerBrDr.
apply: le_trans reach _; move: le0.
have /andP[/andP[/eqP zs_N _] _] := data.
rewrite (zip_sum r_N (fun q s => ratio q * (eval theta' (vec d s) 0 0
  - shift theta' 0 0)) zs_N).
under eq_bigr do rewrite mulrBr; rewrite sumrB -mulr_suml mulrBr multE.
by rewrite !mulNr opprK addrACA subrr addr0 -lerBrDr sub0r.
Qed.

End Price.

End Correct.
