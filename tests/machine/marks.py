"""The tables of ALERTS for questions and for passing on (border, police, NGO), written out as those of `books` are."""

QUESTION, RESPONSE, READ = "exchange.v1.InformationRequest", "exchange.v1.InformationResponse", "exchange.v1.Acknowledgement"
LEAVE_ASKED, LEAVE_DECIDED, PASSED_ON = "exchange.v1.OnwardRequest", "exchange.v1.OnwardDecision", "exchange.v1.OnwardNotice"
TABLES: dict[str, tuple[str, ...]] = {
    QUESTION: ("RR-", "RR-", "RR-", "MM-", "MM-", "RR-", "MM-", "MM-", "MM-", "MM-", "RR-", "MM-"),
    RESPONSE: ("RR-", "MM-", "-M-", "CM-", "MM-", "-M-", "RR-"),
    READ: ("RR-", "RR-", "MM-", "RR-", "MM-"),
    LEAVE_ASKED: ("RR-", "RR-", "RR-", "RR-", "RR-", "MM-", "MM-", "RR-"),
    LEAVE_DECIDED: ("RR-", "RR-", "MM-", "MM-", "MM-"),
    PASSED_ON: ("RR-", "RR-", "RR-", "RR-", "RR-"),
}
