(******************************************************************************)
(* Facts about polynomials, and what terms and formulas are where they hold:  *)
(* part (ite c t u) is t or u where c is decided; else it is a variable.      *)
(*                                                                            *)
(*   fact == a polynomial that is 0, at least 0, or above 0                   *)
(*   in_form f == f, scaled: the same for facts that say the same             *)
(*   said f == what holds where f does, in this form                          *)
(*   knowledge == facts in this form, and truth values of names               *)
(*   decided ks f, truth ks f == whether a fact or a formula holds, or fails, *)
(*           where ks does                                                    *)
(*   polynomial ks t == what t is where ks holds                              *)
(*   shape ks f == f, the same for conditions that say the same               *)
(*   fact_holds x p f, all_true x p ks == f, all of ks where names have the   *)
(*           values x and p                                                   *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_formulas check_polynomials.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

Inductive sign := IsZero | NotNegative | Positive.

Definition fact : Type := sign * poly.

Definition same_sign s s' :=
  match s, s' with
  | IsZero, IsZero | NotNegative, NotNegative | Positive, Positive => true
  | _, _ => false
  end.

Definition reciprocal (q : Q) : Q :=
  match Qnum q with
  | Z0 => Q0
  | Zpos a => Qmake (Zpos (Qden q)) a
  | Zneg a => Qmake (Zneg (Qden q)) a
  end.

Definition scaled_by (a : Q) (f : fact) : fact :=
  let: (s, p) := f in
  if (if s is IsZero then ~~ is_zero a else lpos a) then (s, pscale a p) else f.

(* A fact of the same sign, its first coefficient 1; or -1, if it is signed.  *)
Definition in_form (f : fact) : fact :=
  if f.2 is (_, c) :: _ then
    let a := reciprocal c in
    let keeps := if f.1 is IsZero then true else ~~ lneg a in
    scaled_by (if keeps then a else oopp Qops a) f
  else f.

Definition same_fact (f g : fact) := same_sign f.1 g.1 && same_poly f.2 g.2.

Definition knows (ks : seq fact) f := has (same_fact (in_form f)) ks.

(* What holds where a fact does.                                              *)
Definition said (f : fact) : seq fact :=
  let: (s, p) := f in
  in_form f :: match s with
               | IsZero => [:: in_form (NotNegative, p);
                               in_form (NotNegative, pneg p)]
               | NotNegative => [::]
               | Positive => [:: in_form (NotNegative, p)]
               end.

Definition number_of (p : poly) : option Q :=
  match p with
  | [::] => Some Q0
  | [:: ([::], c)] => Some c
  | _ => None
  end.

Definition has_sign s (c : Q) :=
  match s with
  | IsZero => is_zero c
  | NotNegative => ~~ lneg c
  | Positive => lpos c
  end.

(* Whether it is decided that the fact holds, or fails.                       *)
Definition decided (ks : seq fact) (f : fact) : option bool :=
  let: (s, p) := f in
  if number_of p is Some c then Some (has_sign s c) else
  if knows ks f then Some true else
  let fails :=
    match s with
    | IsZero => knows ks (Positive, p) || knows ks (Positive, pneg p)
    | NotNegative => knows ks (Positive, pneg p)
    | Positive => knows ks (NotNegative, pneg p)
    end in
  if fails then Some false else None.

(* What a relation says of two polynomials; of "distinct" what it denies.     *)
Definition compared r (p q : poly) : fact :=
  match r with
  | AtMost => (NotNegative, pminus q p)
  | Below => (Positive, pminus q p)
  | AtLeast => (NotNegative, pminus p q)
  | Above => (Positive, pminus p q)
  | Equal | Distinct => (IsZero, pminus q p)
  end.

Definition same_truth (b b' : bool) := if b then b' else ~~ b'.

Definition is_decided so (o : option bool) :=
  if o is Some so' then same_truth so so' else false.

Definition knowledge : Type := seq fact * seq (N * bool).

Fixpoint told (i : N) (ts : seq (N * bool)) : option bool :=
  if ts is (j, so) :: ts' then if N.eqb i j then Some so else told i ts'
  else None.

Definition kleene (decisive : bool) (o o' : option bool) : option bool :=
  match o, o' with
  | Some b, Some b' => Some (if decisive then b || b' else b && b')
  | Some b, None | None, Some b =>
    if same_truth b decisive then Some b else None
  | None, None => None
  end.

Definition denied (o : option bool) : option bool :=
  if o is Some so then Some (~~ so) else None.

Definition relation_of s :=
  match s with IsZero => Equal | NotNegative => AtMost | Positive => Below end.

Fixpoint polynomial (ks : knowledge) t : poly :=
  match t with
  | Number a => pnumber a
  | Name i => pvariable t
  | Add a b => padd (polynomial ks a) (polynomial ks b)
  | Mul a b => pmul (polynomial ks a) (polynomial ks b)
  | Opp a => pneg (polynomial ks a)
  | Either f a b =>
    match truth ks f with
    | Some so => if so then polynomial ks a else polynomial ks b
    | None => pvariable (Either (shape ks f) (written (polynomial ks a))
                                (written (polynomial ks b)))
    end
  | Call i ts => pvariable (Call i (several ks ts))
  end
with several (ks : knowledge) ts : terms :=
  match ts with
  | NoMore => NoMore
  | More t ts => More (written (polynomial ks t)) (several ks ts)
  end
with truth (ks : knowledge) f : option bool :=
  match f with
  | Yes => Some true
  | No => Some false
  | Holds i => told i ks.2
  | Not f => denied (truth ks f)
  | And f g => kleene false (truth ks f) (truth ks g)
  | Or f g => kleene true (truth ks f) (truth ks g)
  | Choose _ _ _ => None
  | Compare r a b =>
    let o := decided ks.1 (compared r (polynomial ks a) (polynomial ks b)) in
    if r is Distinct then denied o else o
  end
with shape (ks : knowledge) f : formula :=
  match f with
  | Not f => Not (shape ks f)
  | And f g => And (shape ks f) (shape ks g)
  | Or f g => Or (shape ks f) (shape ks g)
  | Compare r a b =>
    let: (s, p) :=
      in_form (compared r (polynomial ks a) (polynomial ks b)) in
    let g := Compare (relation_of s) (Number Q0) (written p) in
    if r is Distinct then Not g else g
  | _ => f
  end.

Local Open Scope ring_scope.

Section Correct.

Variables (R : realFieldType) (x : N -> seq R -> R) (p : N -> bool).
Local Notation ratio := (ratio R).
Local Notation pvalue := (pvalue x p).
Local Notation value := (value x p).
Local Notation holds := (holds x p).

Definition is_so (s : sign) (a : R) : bool :=
  match s with
  | IsZero => a == 0
  | NotNegative => 0 <= a
  | Positive => 0 < a
  end.

Definition fact_holds (f : fact) : bool := is_so f.1 (pvalue f.2).

Definition all_true (ks : knowledge) :=
  all fact_holds ks.1 && all (fun t => p t.1 == t.2) ks.2.

Lemma scaled_byP a f : fact_holds (scaled_by a f) = fact_holds f.
Proof.
case: f => s q; rewrite /scaled_by; case: ifP => // signed.
rewrite /fact_holds /= pvalueZ; case: s signed => signed; rewrite /is_so.
- by rewrite mulf_eq0 -(is_zeroP R) (negbTE signed).
- by rewrite pmulr_rge0 // ratio_gt0.
by rewrite pmulr_rgt0 // ratio_gt0.
Qed.

Lemma in_formP f : fact_holds (in_form f) = fact_holds f.
Proof. by case: f => s [|[m c] q] //; apply: scaled_byP. Qed.

Lemma same_signP s s' : same_sign s s' -> s = s'.
Proof. by case: s; case: s'. Qed.

Lemma same_factP f g : same_fact f g -> fact_holds f = fact_holds g.
Proof.
case/andP=> /same_signP s_s /(same_polyP x p) q_q.
by rewrite /fact_holds s_s q_q.
Qed.

Lemma knowsP ks f : all fact_holds ks -> knows ks f -> fact_holds f.
Proof.
move=> ks_hold; rewrite -in_formP; elim: ks ks_hold => [//|g ks IH] /=.
by case/andP=> g_holds /IH{}IH /orP[/same_factP->|/IH].
Qed.

Lemma saidP f : fact_holds f -> all fact_holds (said f).
Proof.
case: f => s q f_holds; rewrite /= in_formP f_holds /=.
case: s f_holds => //=; rewrite !in_formP /fact_holds /= ?pvalueN ?andbT.
  by move/eqP->; rewrite oppr0 lexx.
exact: ltW.
Qed.

Lemma number_ofP q c : number_of q = Some c -> pvalue q = ratio c.
Proof.
case: q => [|[[|t m] a] [|k q]] //= [<-]; first by rewrite ratio0.
by rewrite mulr1 addr0.
Qed.

Lemma has_signP s c : has_sign s c = is_so s (ratio c).
Proof. by case: s; rewrite /= ?(is_zeroP R) ?(ratio_ge0 R) ?(ratio_gt0 R). Qed.

Lemma decidedP ks f so :
  all fact_holds ks -> decided ks f = Some so -> fact_holds f = so.
Proof.
case: f => s q ks_hold /=; case c_E: (number_of q) => [c|].
  by case=> <-; rewrite has_signP /fact_holds (number_ofP c_E).
case: ifP => [/(knowsP ks_hold)-> [] //|_].
case: ifP => // known [<-]; apply: negbTE; move: known.
have knows_s s' q' : knows ks (s', q') -> is_so s' (pvalue q').
  exact: knowsP.
rewrite /fact_holds; case: s => /=.
- case/orP=> /knows_s /=; first by move/gt_eqF->.
  by rewrite pvalueN oppr_gt0 => /lt_eqF->.
- by move/knows_s; rewrite /= pvalueN oppr_gt0 -ltNge.
by move/knows_s; rewrite /= pvalueN oppr_ge0 -leNgt.
Qed.

Lemma comparedP r q q' : fact_holds (compared r q q')
  = related (if r is Distinct then Equal else r) (pvalue q) (pvalue q').
Proof.
case: r; rewrite /fact_holds /= pvalueB ?subr_ge0 ?subr_gt0 //;
  by rewrite subr_eq0 eq_sym.
Qed.

Lemma deniedP (o : option bool) (a : bool) so :
    (forall so', o = Some so' -> a = so') -> denied o = Some so -> ~~ a = so.
Proof. by case: o => // so' oP [<-]; rewrite (oP so'). Qed.

Lemma kleene_andP o o' (a a' : bool) so :
    (forall so, o = Some so -> a = so) ->
    (forall so, o' = Some so -> a' = so) ->
  kleene false o o' = Some so -> a && a' = so.
Proof.
case: o => [b|] oP; case: o' => [b'|] o'P //=.
- by case=> <-; rewrite (oP b) // (o'P b').
- by case: b oP => //= oP [<-]; rewrite (oP false).
by case: b' o'P => //= o'P [<-]; rewrite (o'P false) // andbF.
Qed.

Lemma kleene_orP o o' (a a' : bool) so :
    (forall so, o = Some so -> a = so) ->
    (forall so, o' = Some so -> a' = so) ->
  kleene true o o' = Some so -> a || a' = so.
Proof.
case: o => [b|] oP; case: o' => [b'|] o'P //=.
- by case=> <-; rewrite (oP b) // (o'P b').
- by case: b oP => //= oP [<-]; rewrite (oP true).
by case: b' o'P => //= o'P [<-]; rewrite (o'P true) // orbT.
Qed.

Lemma toldP i ts so :
  all (fun t => p t.1 == t.2) ts -> told i ts = Some so -> p i = so.
Proof.
elim: ts => [//|[j so'] ts IH] /= /andP[/eqP j_so' /IH{}IH].
by case: N.eqb_spec => [-> [<-]|_ /IH].
Qed.

Lemma written_fact s q :
  holds (Compare (relation_of s) (Number Q0) (written q)) = is_so s (pvalue q).
Proof. by case: s; rewrite /= ratio0 value_written // eq_sym. Qed.

Local Arguments decided : simpl never.
Local Arguments in_form : simpl never.

Lemma readingP ks : all_true ks ->
  (forall t, pvalue (polynomial ks t) = value t)
  /\ (forall ts, value_list x p (several ks ts) = value_list x p ts)
  /\ (forall f, (forall so, truth ks f = Some so -> holds f = so)
                /\ holds (shape ks f) = holds f).
Proof.
case/andP=> ks_hold ts_hold; apply: terms_formulas.
- by move=> a; rewrite [LHS]pvalue_number.
- by move=> i; rewrite [LHS]pvalue_variable.
- by move=> a IHa c IHc; rewrite [LHS]pvalueD IHa IHc.
- by move=> a IHa c IHc; rewrite [LHS]pvalueM IHa IHc.
- by move=> a IHa; rewrite [LHS]pvalueN IHa.
- move=> f [fP f_shape] a IHa c IHc /=.
  case: (truth ks f) fP => [so /(_ so erefl)->|_]; first by case: so.
  by rewrite pvalue_variable /= f_shape !value_written IHa IHc.
- by move=> i ts IH; rewrite [LHS]pvalue_variable /= IH.
- by [].
- by move=> t IHt ts IHts /=; rewrite value_written IHt IHts.
- by split=> // so [<-].
- by split=> // so [<-].
- by move=> i; split=> // so; apply: toldP.
- move=> f [fP f_shape] /=; rewrite f_shape; split=> // so.
  exact: deniedP.
- move=> f [fP f_shape] g [gP g_shape] /=; rewrite f_shape g_shape.
  by split=> // so; apply: kleene_andP.
- move=> f [fP f_shape] g [gP g_shape] /=; rewrite f_shape g_shape.
  by split=> // so; apply: kleene_orP.
- by [].
move=> r a IHa c IHc; have := comparedP r (polynomial ks a) (polynomial ks c).
rewrite IHa IHc => factP; split=> [so|].
  case: r factP => /= factP; try by rewrite -factP; apply: decidedP.
  by apply: deniedP => so'; rewrite -factP; apply: decidedP.
rewrite /=; set f := compared _ _ _ in factP *; move: factP; rewrite -in_formP.
case: (in_form f) => s q; have := written_fact s q.
rewrite /fact_holds /= => <- factP.
by case: r f factP => f /= <-.
Qed.

End Correct.
