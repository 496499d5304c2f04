(* SMT-LIB scripts as terms and formulas of proofs/coq/check_formulas.v. What is here only reads: what is defined is put
   in where it is used. *)

open Absence_checkers
open Facts

type expression = Word of string | Group of expression list

(* The expressions of a text; a comment goes from ; to the end of its line. *)
let expressions script =
  let at = ref 0 and size = String.length script in
  let ends c = String.contains " \t\r\n();|\"" c in
  let rec several kept =
    if !at = size then (List.rev kept, false) else
      let first = !at in
      incr at;
      match script.[first] with
      | ' ' | '\t' | '\r' | '\n' -> several kept
      | ';' -> while !at < size && script.[!at] <> '\n' do incr at done; several kept
      | '(' ->
        let found, closed = several [] in
        if not closed then malformed "a bracket is not closed";
        several (Group found :: kept)
      | ')' -> (List.rev kept, true)
      | '|' | '"' -> malformed "an unexpected character"
      | _ ->
        while !at < size && not (ends script.[!at]) do incr at done;
        several (Word (String.sub script first (!at - first)) :: kept) in
  let found, closed = several [] in
  if closed then malformed "a bracket too many";
  found

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
  | Word name when List.mem_assoc name scope -> (match List.assoc name scope with
      | Real value -> value
      | _ -> malformed (name ^ " is no number"))
  | Word word -> Number { qnum = numeral word; qden = Big_int_Z.unit_big_int }
  | Group (Word name :: arguments) when List.mem_assoc name scope ->
    (match called scope name arguments with Real value -> value | _ -> malformed (name ^ " is no number"))
  | Group (Word "+" :: first :: more) -> sum scope (term scope first) more (fun part -> part)
  | Group [ Word "-"; only ] -> Opp (term scope only)
  | Group (Word "-" :: first :: more) -> sum scope (term scope first) more (fun part -> Opp part)
  | Group (Word "*" :: first :: more) ->
    List.fold_left (fun found part -> Mul (found, term scope part)) (term scope first) more
  | Group [ Word "/"; above; Word below ] when Big_int_Z.sign_big_int (numeral below) > 0 ->
    Mul (Number { qnum = Big_int_Z.unit_big_int; qden = numeral below }, term scope above)
  | Group [ Word "ite"; condition; one; other ] -> Either (formula scope condition, term scope one, term scope other)
  | _ -> raise (Left "a term of another form")

and sum scope first more sign = List.fold_left (fun found part -> Add (found, sign (term scope part))) first more

and formula scope expression = match expression with
  | Word name when List.mem_assoc name scope -> (match List.assoc name scope with
      | Truth said -> said
      | _ -> malformed (name ^ " is no truth value"))
  | Group (Word name :: arguments) when List.mem_assoc name scope ->
    (match called scope name arguments with Truth said -> said | _ -> malformed (name ^ " is no truth value"))
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

and called scope name arguments = match List.assoc name scope with
  | Macro (sort, parameters, body, around) when List.compare_lengths parameters arguments = 0 ->
    let bound = List.map2 (fun (name, sort) argument -> (name, meaning scope sort argument)) parameters arguments in
    meaning (bound @ around) sort body
  | Function place ->
    Real (Call (place, List.fold_right (fun argument found -> More (term scope argument, found)) arguments NoMore))
  | _ -> malformed (name ^ " takes other arguments")

type script = { scope : scope; assertions : (expression * formula) list }

(* A name is declared or defined once, before it is used. *)
let script written =
  let fresh known name =
    if List.mem_assoc name known || List.mem name operators || List.mem_assoc name relations || digits name then
      malformed (name ^ " is declared twice or reserved") in
  let number = ref Big_int_Z.zero_big_int in
  let command found = function
    | Group [ Word "declare-fun"; Word name; Group parameters; Word sort ] ->
      fresh found.scope name;
      let place = !number in
      number := Big_int_Z.succ_big_int place;
      let value = match parameters, sort with
        | [], "Real" -> Real (Name place)
        | [], "Bool" -> Truth (Holds place)
        | _, "Real" -> Function place
        | _ -> raise (Left ("the sort " ^ sort)) in
      { found with scope = (name, value) :: found.scope }
    | Group [ Word "define-fun"; Word name; Group parameters; Word sort; body ] ->
      fresh found.scope name;
      let parameter = function Group [ Word name; Word sort ] -> (name, sort) | _ -> malformed "no parameter" in
      let value = match parameters with
        | [] -> meaning found.scope sort body
        | _ -> Macro (sort, List.map parameter parameters, body, found.scope) in
      { found with scope = (name, value) :: found.scope }
    | Group [ Word "assert"; said ] ->
      { found with assertions = found.assertions @ [ (said, formula found.scope said) ] }
    | Group [ Word "set-logic"; Word _ ] | Group [ Word "check-sat" ] -> found
    | _ -> malformed "a command of another form" in
  List.fold_left command { scope = []; assertions = [] } (expressions written)
