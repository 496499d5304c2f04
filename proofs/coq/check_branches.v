(******************************************************************************)
(* What formulas say where all of them hold: a branch of a case distinction.  *)
(* They are read until nothing new is learned, since what is known decides    *)
(* conditions. A tree of cases names what is in a branch by its place.        *)
(*                                                                            *)
(*   branch == what is known, and whether it contradicts itself; then facts,  *)
(*           lists of formulas of which one holds, conditions that nothing    *)
(*           decides (after their shapes), and the terms that hang on them    *)
(*   parts_of ks t, parts_in ks f == these terms, with their conditions       *)
(*   read n b so f == b with what f says, which holds (so) or fails           *)
(*   settled n fs == the branch of the formulas fs; n bounds the steps        *)
(*   sound x p b == what b says holds where names have the values x and p     *)
(******************************************************************************)
From Coq Require Import QArith.
From mathcomp Require Import all_ssreflect all_algebra ssrZ.
From absence Require Import net compute check_nets check_losses check_points.
From absence Require Import check_formulas check_polynomials check_facts.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.

Import GRing.Theory Num.Theory Order.Theory.

(* The terms that nothing decides, each with its condition if it has one, in  *)
(* the order in which they are met; a tree names them by their places.        *)
Fixpoint parts_of (ks : knowledge) t : seq (option formula * term) :=
  match t with
  | Add a b | Mul a b => parts_of ks a ++ parts_of ks b
  | Opp a => parts_of ks a
  | Either f a b =>
    parts_in ks f ++
    match truth ks f with
    | Some so => if so then parts_of ks a else parts_of ks b
    | None => parts_of ks a ++ parts_of ks b ++
        [:: (Some f, Either (shape ks f) (written (polynomial ks a))
                            (written (polynomial ks b)))]
    end
  | Call i ts => rcons (parts_of_several ks ts) (None, Call i (several ks ts))
  | _ => [::]
  end
with parts_of_several (ks : knowledge) ts : seq (option formula * term) :=
  match ts with
  | NoMore => [::]
  | More t ts => parts_of ks t ++ parts_of_several ks ts
  end
with parts_in (ks : knowledge) f : seq (option formula * term) :=
  match f with
  | Not f => parts_in ks f
  | And f g | Or f g => parts_in ks f ++ parts_in ks g
  | Compare _ a b => parts_of ks a ++ parts_of ks b
  | _ => [::]
  end.

Record branch := Branch {
  known : knowledge; closed : bool;
  facts : seq fact; choices : seq (seq formula);
  conditions : seq (formula * formula); parts : seq term
}.

Definition same_term t u :=
  if order_terms t u is Datatypes.Eq then true else false.
Definition same_formula f g :=
  if order_formulas f g is Datatypes.Eq then true else false.

Definition close b :=
  Branch (known b) true (facts b) (choices b) (conditions b) (parts b).

Definition condition b f :=
  let s := shape (known b) f in
  if has (fun c => same_formula s c.1) (conditions b) then b else
  Branch (known b) (closed b) (facts b) (choices b)
    (rcons (conditions b) (s, f)) (parts b).

Definition part b t :=
  if has (same_term t) (parts b) then b else
  Branch (known b) (closed b) (facts b) (choices b) (conditions b)
    (rcons (parts b) t).

Definition noted b (ps : seq (option formula * term)) :=
  foldl (fun b p => part (if p.1 is Some f then condition b f else b) p.2) b ps.

Definition learn b f :=
  let more := [seq g <- said f | ~~ has (same_fact g) (known b).1] in
  Branch (more ++ (known b).1, (known b).2) (closed b) (rcons (facts b) f)
    (choices b) (conditions b) (parts b).

Definition assume b i so :=
  match told i (known b).2 with
  | Some so' => if same_truth so so' then b else close b
  | None =>
    Branch ((known b).1, (i, so) :: (known b).2) (closed b) (facts b)
      (choices b) (conditions b) (parts b)
  end.

Definition choice b fs :=
  Branch (known b) (closed b) (facts b) (rcons (choices b) fs) (conditions b)
    (parts b).

Fixpoint conjuncts f :=
  match f with And f g => f :: conjuncts g | Yes => [::] | _ => [:: f] end.
Fixpoint disjuncts f :=
  match f with Or f g => f :: disjuncts g | No => [::] | _ => [:: f] end.

Definition two_ways a b := [:: Compare Below a b; Compare Above a b].

(* The formula, or two of which one holds if it says that two terms differ.   *)
Fixpoint apart so f : seq formula :=
  match f with
  | Not f => apart (~~ so) f
  | Compare Distinct a b => if so then two_ways a b else [:: Compare Equal a b]
  | Compare Equal a b => if so then [:: f] else two_ways a b
  | _ => [:: if so then f else Not f]
  end.

Definition opposite (f : fact) : fact :=
  let: (s, p) := f in
  (if s is Positive then NotNegative else Positive, pneg p).

(* At least one of these holds; what is left alone by the others is read.     *)
Definition chosen (read1 : branch -> formula -> branch) b fs : branch :=
  let b := noted b (flatten [seq parts_in (known b) f | f <- fs]) in
  if has (fun f => is_decided true (truth (known b) f)) fs then b else
  match [seq f <- fs | ~~ is_decided false (truth (known b) f)] with
  | [::] => close b
  | [:: f] => read1 b f
  | undenied => choice b undenied
  end.

Definition is_distinct r := if r is Distinct then true else false.
Definition is_equal r := if r is Equal then true else false.

Fixpoint read (n : nat) b so f : branch :=
  if n is n'.+1 then
    let choose := chosen (fun b f => read n' b true f) b in
    match f with
    | Yes => if so then b else close b
    | No => if so then close b else b
    | Holds i => assume b i so
    | Not f => read n' b (~~ so) f
    | And _ _ =>
      if so then foldl (fun b f => read n' b true f) b (conjuncts f)
      else choose (flatten [seq apart false f | f <- conjuncts f])
    | Or _ _ =>
      if so then choose (flatten [seq apart true f | f <- disjuncts f])
      else foldl (fun b f => read n' b false f) b (disjuncts f)
    | Choose f g h =>
      let b := noted b (parts_in (known b) f) in
      match truth (known b) f with
      | Some true => read n' b so g
      | Some false => read n' b so h
      | None => condition b f
      end
    | Compare r t u =>
      if (is_distinct r && so) || (is_equal r && ~~ so) then
        choose (two_ways t u)
      else
        let b := noted b (parts_in (known b) f) in
        let f := compared r (polynomial (known b) t) (polynomial (known b) u) in
        learn b (if so || is_distinct r then f else opposite f)
    end
  else b.

Fixpoint settle n b fs :=
  if n is n'.+1 then
    let b' := foldl (fun b f => read n' b true f)
      (Branch (known b) (closed b) [::] [::] [::] (parts b)) fs in
    if (size (known b').1 == size (known b).1)
       && (size (known b').2 == size (known b).2)
    then b' else settle n' b' fs
  else b.

Definition settled n fs :=
  settle n (Branch ([::], [::]) false [::] [::] [::] [::]) fs.

Local Open Scope ring_scope.

Section Correct.

Variables (R : realFieldType) (x : N -> seq R -> R) (p : N -> bool).
Local Notation ratio := (ratio R).
Local Notation pvalue := (pvalue x p).
Local Notation value := (value x p).
Local Notation holds := (holds x p).
Local Notation fact_holds := (fact_holds x p).
Local Notation all_true := (all_true x p).

Definition sound b := [&& all_true (known b), ~~ closed b,
  all fact_holds (facts b) & all (has holds) (choices b)].

Lemma notedP b ps : sound b -> sound (noted b ps).
Proof.
rewrite /noted; elim: ps b => [//|c ps IH] b b_sound; apply: IH.
by case: c => [[f|] t]; rewrite /part /condition; do ?case: ifP.
Qed.

Lemma conditionP b f : sound b -> sound (condition b f).
Proof. by rewrite /condition; case: ifP. Qed.

Lemma learnP b f : sound b -> fact_holds f -> sound (learn b f).
Proof.
case/and4P=> /andP[ks_hold ts_hold] open fs_hold cs_hold f_holds.
apply/and4P; split=> //=; last by rewrite all_rcons f_holds.
rewrite /all_true /= ts_hold andbT all_cat ks_hold andbT.
elim: (said f) (saidP f_holds) => //= g gs IH /andP[g_holds /IH{}IH].
by case: ifP; rewrite //= g_holds.
Qed.

Lemma assumeP b i : sound b -> sound (assume b i (p i)).
Proof.
move=> b_sound.
have /and4P[/andP[ks_hold ts_hold] open fs_hold cs_hold] := b_sound.
rewrite /assume; case i_so: (told _ _) => [so|].
  by rewrite (toldP ts_hold i_so); case: so {i_so}.
by apply/and4P; split; rewrite // /all_true /= ks_hold eqxx.
Qed.

Lemma choiceP b fs : sound b -> has holds fs -> sound (choice b fs).
Proof.
case/and4P=> ks_hold open fs_hold cs_hold fs_has.
by apply/and4P; split=> //=; rewrite all_rcons fs_has.
Qed.

Lemma conjunctsP f : holds f = all holds (conjuncts f).
Proof.
by elim: f => //= [i|f _|f _ g ->|f _ g _|f _ g _ h _|r a c]; rewrite ?andbT.
Qed.

Lemma disjunctsP f : holds f = has holds (disjuncts f).
Proof.
by elim: f => //= [i|f _|f _ g _|f _ g ->|f _ g _ h _|r a c]; rewrite ?orbF.
Qed.

Lemma two_waysP a c : value a != value c -> has holds (two_ways a c).
Proof. by rewrite /= orbF neq_lt. Qed.

Lemma itselfP so f : holds f = so -> has holds [:: if so then f else Not f].
Proof. by case: so => /= ->. Qed.

Lemma apartP so f : holds f = so -> has holds (apart so f).
Proof.
elim: f so => [||i|f IH|f _ g _|f _ g _|f _ g _ h _|r a c] so;
  try exact: itselfP.
  by move=> f_so; apply: IH; case: so f_so => /=; case: (holds f).
case: r; try exact: itselfP.
  by case: so => [/= ->//|/negbT/two_waysP].
by case: so => [/two_waysP|/negbFE /= ->].
Qed.

Lemma foldP (g : branch -> formula -> branch) so b fs :
    (forall b f, sound b -> holds f = so -> sound (g b f)) ->
  sound b -> all (fun f => holds f == so) fs -> sound (foldl g b fs).
Proof.
move=> gP; elim: fs b => [//|f fs IH] b b_sound /= /andP[/eqP f_so].
exact/IH/gP.
Qed.

Lemma sub_apart so fs :
  has (fun f => holds f == so) fs -> has holds (flatten (map (apart so) fs)).
Proof.
elim: fs => //= f fs IH /orP[/eqP/apartP|/IH] f_so; rewrite has_cat f_so //.
by rewrite orbT.
Qed.

Lemma oppositeP f :
  ~~ same_sign f.1 IsZero -> fact_holds (opposite f) = ~~ fact_holds f.
Proof.
case: f => s q; rewrite /fact_holds; case: s => //= _; rewrite pvalueN.
  by rewrite oppr_gt0 ltNge.
by rewrite oppr_ge0 leNgt.
Qed.

Lemma has_kept (T : Type) (a k : pred T) s :
  (forall t, a t -> k t) -> has a s -> has a [seq t <- s | k t].
Proof.
move=> ak; elim: s => //= t s IH /orP[a_t|/IH s_has].
  by rewrite (ak _ a_t) /= a_t.
by case: (k t); rewrite //= s_has orbT.
Qed.

Lemma chosenP (g : branch -> formula -> branch) b fs :
    (forall b f, sound b -> holds f -> sound (g b f)) ->
  sound b -> has holds fs -> sound (chosen g b fs).
Proof.
move=> gP /(notedP (flatten [seq parts_in (known b) f | f <- fs])).
rewrite /chosen; set b' := noted _ _ => b'_sound fs_has; case: ifP => // _.
have /and4P[/readingP[_ [_ fP]] _ _ _] := b'_sound.
have : has holds [seq f <- fs | ~~ is_decided false (truth (known b') f)].
  have kept f : holds f -> ~~ is_decided false (truth (known b') f).
    move=> f_holds; have [+ _] := fP f; rewrite /is_decided f_holds.
    by case: (truth _ f) => // so /(_ so erefl) <-.
  exact: has_kept fs_has.
case: [seq f <- fs | _] => [//|f [|f' fs']]; last exact: choiceP.
by rewrite has_seq1; apply: gP.
Qed.

Lemma readP n b so f : sound b -> holds f = so -> sound (read n b so f).
Proof.
elim: n b so f => [//|n IH] b so f b_sound f_so.
have chooseP gs : has holds gs ->
    sound (chosen (fun b f => read n b true f) b gs).
  by apply: chosenP => // c f'; apply: IH.
have /and4P[ks_hold _ _ _] := b_sound.
case: f f_so => [||i|f|f g|f g|f g h|r t u] f_so; cbn [read].
- by rewrite -f_so.
- by rewrite -f_so.
- by rewrite -f_so; apply: assumeP.
- by apply: IH => //; rewrite -f_so negbK.
- case: so f_so; rewrite conjunctsP => f_so.
    apply: (foldP (so := true)) => // [c h|]; first exact: IH.
    by apply: sub_all f_so => h ->.
  apply/chooseP/sub_apart; rewrite -[has _ _]negbK -all_predC.
  apply: contraFN f_so; apply: sub_all => h /=.
  by rewrite eqbF_neg negbK.
- case: so f_so; rewrite disjunctsP => f_so.
    by apply/chooseP/sub_apart; apply: sub_has f_so => h ->.
  apply: (foldP (so := false)) => // [c h|]; first exact: IH.
  move/negbT: f_so; rewrite -all_predC; apply: sub_all => h /=.
  by rewrite eqbF_neg.
- have := notedP (parts_in (known b) f) b_sound.
  set b' := noted _ _ => b'_sound.
  have /and4P[/readingP[_ [_ fP]] _ _ _] := b'_sound; have [+ _] := fP f.
  case: (truth _ f) => [[]|] /=; last by move=> _; apply: conditionP.
    by move=> /(_ _ erefl) f_E; apply: IH => //; rewrite -f_so /= f_E.
  by move=> /(_ _ erefl) f_E; apply: IH => //; rewrite -f_so /= f_E.
case: ifP => [differ|same].
  by apply/chooseP/two_waysP; case: r differ f_so; case: so => //= _ /negbT.
have := notedP (parts_in (known b) (Compare r t u)) b_sound.
move: (noted _ _) => b' b'_sound.
have /and4P[/readingP[tP _] _ _ _] := b'_sound.
have := comparedP x p r (polynomial (known b') t) (polynomial (known b') u).
rewrite !tP => factP; apply: learnP => //; case: ifP => [so_E|so_E].
  rewrite factP; case: r so_E same f_so {factP}; case: so => //= _ _.
  by move/negbFE.
case: so same so_E f_so => //= same so_E /negbT.
rewrite oppositeP ?factP; first by case: (r) so_E.
by case: (r) same so_E.
Qed.

Lemma settleP n b fs : all holds fs -> sound b -> sound (settle n b fs).
Proof.
elim: n b => [//|n IH] b fs_hold b_sound /=.
set b' := foldl _ _ _; suff b'_sound : sound b' by case: ifP => // _; apply: IH.
apply: (foldP (so := true)); last by apply: sub_all fs_hold => f ->.
  by move=> c f c_sound; apply: readP.
by case/and4P: b_sound => ks_hold open _ _; apply/and4P.
Qed.

Theorem settledP n fs : all holds fs -> sound (settled n fs).
Proof. by move=> fs_hold; apply: settleP. Qed.

End Correct.
