package farslot.lender;
