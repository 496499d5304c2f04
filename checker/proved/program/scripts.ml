(* SMT-LIB scripts as terms and formulas of proofs/coq/check_formulas.v. What is here only reads: what is defined is put
   in where it is used. *)

open Absence_checkers
open Facts
open Expressions

type meaning =
  | Real of term
  | Truth of formula
  | Macro of string * (string * string) list * expression * scope (* its sort, its arguments with theirs, its body *)
  | Function of Big_int_Z.big_int (* that nothing defines *)
and scope = (string * meaning) list

let digits word = word <> "" && String.for_all (fun c -> '0' <= c && c <= '9') word
let numeral word =
  if not (digits word) then raise (Left ("the word " ^ word));
  integer word

let relations = [ "<=", AtMost; "<", Below; ">=", AtLeast; ">", Above; "=", Equal; "distinct", Distinct ]
let operators = [ "+"; "*"; "-"; "/"; "and"; "or"; "not"; "=>"; "ite"; "let"; "true"; "false"; "exists"; "forall" ]

let rec term scope expression = match expression with
  | (Word name | Group (Word name :: _)) when List.mem_assoc name scope ->
    (match called scope name expression with Real value -> value | _ -> malformed (name ^ " is no number"))
  | Word word -> Number { qnum = numeral word; qden = Big_int_Z.unit_big_int }
  | Group [ Word "-"; only ] -> Opp (term scope only)
  | Group (Word ("+" | "-" as sign) :: first :: more) ->
    let signed part = if sign = "-" then Opp part else part in
    List.fold_left (fun found part -> Add (found, signed (term scope part))) (term scope first) more
  | Group (Word "*" :: first :: more) ->
    List.fold_left (fun found part -> Mul (found, term scope part)) (term scope first) more
  | Group [ Word "/"; above; Word below ] when Big_int_Z.sign_big_int (numeral below) > 0 ->
    Mul (Number { qnum = Big_int_Z.unit_big_int; qden = numeral below }, term scope above)
  | Group [ Word "ite"; condition; one; other ] -> Either (formula scope condition, term scope one, term scope other)
  | _ -> raise (Left "a term of another form")

and formula scope expression = match expression with
  | (Word name | Group (Word name :: _)) when List.mem_assoc name scope ->
    (match called scope name expression with Truth said -> said | _ -> malformed (name ^ " is no truth value"))
  | Group [ Word "not"; only ] -> Not (formula scope only)
  | Group (Word "and" :: parts) -> List.fold_right (fun part found -> And (formula scope part, found)) parts Yes
  | Group (Word "or" :: parts) -> List.fold_right (fun part found -> Or (formula scope part, found)) parts No
  | Group [ Word "ite"; condition; one; other ] ->
    Choose (formula scope condition, formula scope one, formula scope other)
  | Group [ Word sign; one; other ] when List.mem_assoc sign relations ->
    Compare (List.assoc sign relations, term scope one, term scope other)
  | _ -> raise (Left "a formula of another form")

and meaning scope sort body = match sort with
  | "Real" -> Real (term scope body)
  | "Bool" -> Truth (formula scope body)
  | _ -> raise (Left ("the sort " ^ sort))

(* What a name stands for, alone or before its arguments. *)
and called scope name expression = match List.assoc name scope, expression with
  | (Real _ | Truth _ as found), Word _ -> found
  | Macro (sort, parameters, body, around), Group (_ :: arguments)
    when List.compare_lengths parameters arguments = 0 ->
    let bound = List.map2 (fun (name, sort) argument -> (name, meaning scope sort argument)) parameters arguments in
    meaning (bound @ around) sort body
  | Function place, Group (_ :: arguments) ->
    Real (Call (place, List.fold_right (fun argument found -> More (term scope argument, found)) arguments NoMore))
  | _ -> malformed (name ^ " takes other arguments")

type script = { scope : scope; assertions : (expression * formula) list }

(* A name is declared or defined once, before it is used. *)
let script written =
  let fresh known name =
    if List.mem_assoc name known || List.mem name operators || List.mem_assoc name relations || digits name then
      malformed (name ^ " is declared twice or reserved") in
  let count = ref Big_int_Z.zero_big_int in
  let next () = let place = !count in count := Big_int_Z.succ_big_int place; place in
  let parameter = function Group [ Word name; Word sort ] -> (name, sort) | _ -> malformed "no parameter" in
  let command found = function
    | Group (Word ("declare-fun" | "define-fun" as how) :: Word name :: Group parameters :: Word sort :: body) ->
      fresh found.scope name;
      let value = match how, body, parameters, sort with
        | "define-fun", [ body ], [], _ -> meaning found.scope sort body
        | "define-fun", [ body ], _, _ -> Macro (sort, List.map parameter parameters, body, found.scope)
        | "declare-fun", [], [], "Real" -> Real (Name (next ()))
        | "declare-fun", [], [], "Bool" -> Truth (Holds (next ()))
        | "declare-fun", [], _, "Real" -> Function (next ())
        | "declare-fun", [], _, _ -> raise (Left ("the sort " ^ sort))
        | _ -> malformed "a declaration of another form" in
      { found with scope = (name, value) :: found.scope }
    | Group [ Word "assert"; said ] ->
      { found with assertions = found.assertions @ [ (said, formula found.scope said) ] }
    | Group [ Word "set-logic"; Word _ ] | Group [ Word "check-sat" ] -> found
    | _ -> malformed "a command of another form" in
  List.fold_left command { scope = []; assertions = [] } (Expressions.read written)
