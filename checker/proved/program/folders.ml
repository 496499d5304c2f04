(* Facts of an audit's folder: its net and data are read once, and each fact is put to who decides its kind. *)

open Facts

(* Who decides which kinds, in the order in which they are asked. Each is given all facts, with what was said of them so
   far, since one may rest on another; it answers each, and only those of its kinds count. *)
let deciders = [
  [ "units"; "circuit" ], (fun subject facts _ -> Audits.answers subject facts);
  [ "training-loss"; "lower-training-loss"; "hardened" ], Audit_losses.answers;
  [ "inside"; "covered"; "train-input"; "outside" ], Audit_hulls.answers;
  [ "full-rank"; "dependency"; "few-inputs" ], Audit_tables.answers;
  [ "readout-prices" ], Audit_prices.answers;
  [ "irrelevant-region"; "relevant-at" ], (fun (net : Audits.subject) facts _ ->
      Regions.answers (net.hidden @ [ net.out ]) net.beyond facts);
]

let kind fact = text (get "kind" fact)
let ours kinds fact = List.mem (kind fact) kinds

(* What is said with the answers of one decider, at the facts of its kinds. *)
let asked subject facts said (kinds, answers) =
  if not (List.exists (ours kinds) facts) then said
  else
    let now = try answers subject facts said with Left _ | Stack_overflow | Out_of_memory -> said in
    List.map2 (fun fact (before, now) -> if ours kinds fact then now else before) facts (List.combine said now)

(* A line for each fact: its kind, and what is said of it. *)
let decide folder certificate beyond =
  let facts = list (get "facts" certificate) in
  let left = List.map (fun _ -> "left") facts in
  let said =
    try
      let files = get "files" certificate in
      let some = List.exists (fun (kinds, _) -> List.exists (ours kinds) facts) deciders in
      if not (some && has "net" files && has "train" files) then raise (Left "other facts");
      List.fold_left (asked (Audits.subject folder files beyond) facts) left deciders
    with Left _ | Stack_overflow | Out_of_memory -> left in
  List.map2 (fun fact one -> kind fact ^ " " ^ one) facts said
