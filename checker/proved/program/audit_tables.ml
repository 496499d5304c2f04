(* Facts of an audit about the features of a hidden layer at the training rows, put to the checkers that Coq extracted.
   What is here reads, and chooses hints: it decides nothing. *)

open Absence_checkers
open Facts
open Audits

(* The columns of the inverse modulo a prime below 2^31, if there is one. *)
let inverse p matrix =
  let n = Array.length matrix in
  let table = Array.mapi (fun i line -> Array.append line (Array.init n (fun j -> if i = j then 1 else 0))) matrix in
  let rec power base e = if e = 0 then 1 else
      let half = power (base * base mod p) (e / 2) in
      if e mod 2 = 1 then half * base mod p else half in
  let rec eliminate k =
    if k = n then Some (List.init n (fun j -> List.init n (fun i -> I.of_int table.(i).(n + j))))
    else
      let rec pivot i = if i = n then None else if table.(i).(k) = 0 then pivot (i + 1) else Some i in
      match pivot k with
      | None -> None
      | Some i ->
        let line = table.(i) in
        table.(i) <- table.(k);
        table.(k) <- line;
        let over = power line.(k) (p - 2) in
        for j = k to (2 * n) - 1 do line.(j) <- line.(j) * over mod p done;
        Array.iteri (fun i other ->
            let factor = other.(k) in
            if i <> k && factor <> 0 then
              for j = k to (2 * n) - 1 do other.(j) <- (other.(j) + (p - (factor * line.(j) mod p))) mod p done) table;
        eliminate (k + 1) in
  eliminate 0

let independent subject at fact =
  known [ "kind"; "layer"; "prime"; "rows"; "units" ] fact;
  let k, width = layer subject fact and p = whole (get "prime" fact) in
  let chosen = List.map whole (list (get "rows" fact)) in
  let members = if has "units" fact then List.map whole (list (get "units" fact)) else List.init width Fun.id in
  if not (no_twice members) then malformed "a unit is named twice";
  if List.length chosen <> List.length members + 1 then malformed "a minor has as many rows as columns";
  if p = 2 || p >= 1 lsl 31 || not (Features.prime p) then malformed "the modulus is no odd prime below 2^31";
  (* The product with the inverse, which nothing interrupts. *)
  subject.beyond (7e-8 *. (float_of_int (List.length chosen) ** 3.));
  let own = pick width members in
  let features i =
    let kept = List.filteri (fun j _ -> List.nth own j) (at k i) in
    Array.of_list (1 :: List.map (fun h -> I.to_int (I.erem h (I.of_int p))) kept) in
  match inverse p (Array.of_list (List.map features chosen)) with
  | None -> false
  | Some columns ->
    let n, row = numbered subject in
    check_minor subject.s subject.es subject.d subject.m subject.hidden subject.out n row (nat k) own (I.of_int p)
      (List.map I.of_int chosen) columns

(* The scale of combinations of the features of a layer: low enough for what is added to them too. *)
let combining subject k units =
  let sum = List.fold_left (fun found e -> found + I.to_int e.power) (I.to_int subject.s.power) (prefix (k + 1) subject.es) in
  let low found (w, b) = min (least_exponent found w) (least_exponent 0 [ b ] - sum) in
  let all = List.concat_map (fun (w, b) -> b :: w) units in
  { power = I.of_int (List.fold_left low 0 units); under = List.fold_left (fun found n -> I.lcm found n.divisor) I.one all }

(* Whether these are 0 at all training rows. *)
let vanishing subject at k units =
  let n, row = numbered subject and e = combining subject k units in
  let es = prefix (k + 1) subject.es @ [ e; Audits.power 0 ] in
  check_relations subject.s es (prefix (k + 1) (cuts subject at)) subject.d subject.m subject.hidden subject.out n row
    (nat k) units

let dependent subject at fact =
  known [ "kind"; "layer"; "coefficients" ] fact;
  let k, width = layer subject fact in
  match List.map hexadecimal (list (get "coefficients" fact)) with
  | one :: more when List.length more = width -> vanishing subject at k [ (more, one) ]
  | _ -> malformed "not one coefficient for each column"

(* Each row by the number of the first that is equal; -0 is 0. *)
let few_inputs subject fact =
  known [ "kind"; "layer"; "distinct_inputs" ] fact;
  let _, width = layer subject fact and stated = whole (get "distinct_inputs" fact) in
  let rows = subject.train.Arrays.rows and columns = subject.train.Arrays.columns in
  let first = Hashtbl.create 64 in
  let found = Array.init rows (fun i ->
      let key = List.init columns (fun j -> Arrays.float_at subject.train i j) in
      let key = List.map (fun (m, e) -> if m = 0 then (0, 0) else (m, e)) key in
      match Hashtbl.find_opt first key with Some j -> j | None -> Hashtbl.add first key i; i) in
  let reps = List.filter (fun i -> found.(i) = i) (List.init rows Fun.id) in
  let n, row = numbered subject in
  List.length reps = stated
  && check_few subject.s subject.d n row (List.map I.of_int reps) (fun i -> I.of_int found.(I.to_int i)) (nat width)

let answers subject facts _ =
  let at = at_row subject in
  List.map (fun fact -> match text (get "kind" fact) with
      | "full-rank" -> answer (fun () -> independent subject at fact)
      | "dependency" -> answer (fun () -> dependent subject at fact)
      | "few-inputs" -> answer (fun () -> few_inputs subject fact)
      | _ -> "left") facts
