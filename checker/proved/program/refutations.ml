(* Scripts with their values, or with trees that refute them, put to the checkers that Coq extracted. What is here only
   reads: it decides nothing. *)

open Absence_checkers
open Facts

(* As often a branch is read at most, and as deep a formula; and what a tree may name. *)
let steps = nat 1000
let largest_place, largest_power = 100_000, 64

let place value =
  let found = whole value in
  if found < 0 then malformed "no place";
  if found > largest_place then raise (Left "a large place");
  nat found

(* A name of the script, or a term that nothing decides, which a tree names by its place in brackets. *)
let variable scope name =
  let size = String.length name in
  if size > 2 && name.[0] = '(' && name.[size - 1] = ')' then Part (place (Json.Int (String.sub name 1 (size - 2))))
  else match List.assoc_opt name scope with
    | Some (Scripts.Real (Name place)) -> Named place
    | _ -> raise (Left (name ^ " is no variable of the script"))

let monomial scope value =
  let power entry = match list entry with
    | [ Json.Text name; count ] ->
      let count = whole count and variable = variable scope name in
      if count < 1 then malformed "no power";
      if count > largest_power then raise (Left "a large power");
      List.init count (fun _ -> variable)
    | _ -> malformed "no power" in
  List.concat_map power (list value)

let product scope value =
  known [ "times"; "of"; "by"; "square" ] value;
  let summand entry = match list entry with
    | [ c; powers ] -> (monomial scope powers, number c)
    | _ -> malformed "no summand" in
  { multiplier = number (get "times" value);
    of_facts = List.map place (list (get "of" value));
    powers = if has "by" value then monomial scope (get "by" value) else [];
    square = if has "square" value then Some (List.map summand (list (get "square" value))) else None }

let rec by_cases scope value =
  if has "sum" value then Contradiction (List.map (product scope) (list (get "sum" value))) else
    let said key = match Expressions.read (text (get key value)) with
      | [ found ] -> found
      | _ -> malformed "not one expression" in
    match List.map (by_cases scope) (list (get "cases" value)) with
    | cases when has "choice" value -> Members (place (get "choice" value), cases)
    | [ above; below; zero ] when has "sign" value -> Signs (Scripts.term scope (said "sign"), above, below, zero)
    | [ so; not_so ] when has "whether" value -> Whether (Scripts.formula scope (said "whether"), so, not_so)
    | cases when has "values" value ->
      (match List.map (Scripts.term scope) (Expressions.read (text (get "values" value))) with
       | [ (Call _ as one); (Call _ as other) ] -> Values (one, other, cases)
       | [ _; _ ] -> raise (Left "values of what is no function of the script")
       | _ -> malformed "not two values")
    | [ so; not_so ] when has "condition" value -> Condition (place (get "condition" value), so, not_so)
    | _ -> malformed "a case is missing"

let refutes script shown =
  check_refuted steps (List.map snd script.Scripts.assertions) (by_cases script.Scripts.scope shown)

let refutation fact =
  known [ "kind"; "script"; "tree" ] fact;
  refutes (Scripts.script (text (get "script" fact))) (get "tree" fact)

(* The formulas are true where the names have these values. *)
let satisfied script formulas values =
  let fields = match values with Json.Record fields -> fields | _ -> malformed "no values" in
  let numbers, truths = List.partition_map (fun (name, value) ->
      match List.assoc_opt name script.Scripts.scope, value with
      | Some (Scripts.Real (Name place)), _ -> Either.Left (place, number value)
      | Some (Scripts.Truth (Holds place)), Json.Bool so -> Either.Right (place, so)
      | _ -> malformed (name ^ " has no such value")) fields in
  let at values place =
    try snd (List.find (fun (other, _) -> Big_int_Z.eq_big_int place other) values)
    with Not_found -> malformed "a name has no value" in
  check_satisfied (at numbers) (at truths) formulas

(* An answer to a script. What has no solution has premises that have one: else it would be said of nothing. *)
let smt fact =
  known [ "kind"; "file"; "sha256"; "script"; "deciding"; "answer"; "witness"; "premises_witness"; "refutation"; "replay" ]
    fact;
  let script = Scripts.script (text (get "script" fact)) and deciding = text (get "deciding" fact) in
  let formulas = List.map snd script.Scripts.assertions in
  let premises = match List.rev script.Scripts.assertions with
    | (Expressions.Word name, _) :: premises when name = deciding -> List.rev_map snd premises
    | _ -> malformed "the script does not assert it" in
  match text (get "answer" fact), deciding with
  | "sat", ("claim_fails" | "claim_holds") ->
    not (has "refutation" fact) && satisfied script formulas (get "witness" fact)
  | "unsat", ("claim_fails" | "claim_holds") ->
    if not (has "refutation" fact) then raise (Left "a solver's word");
    let shown = get "refutation" fact in
    known [ "kind"; "tree" ] shown;
    text (get "kind" shown) = "refutation" && refutes script (get "tree" shown)
    && (deciding = "claim_holds" || satisfied script premises (get "premises_witness" fact))
  | _ -> malformed "no answer"

let kinds = [ "refutation", refutation; "smt", smt ]
